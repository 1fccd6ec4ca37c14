import { demandGpu, GpuError } from "./error.ts";

/** A GPU's attestation report, field by field. */
export interface SpdmReport {
  /** Of the request, 32 bytes: what the asker chose. */
  readonly nonce: Uint8Array;
  /** Digests by index, from 1. */
  readonly measurements: ReadonlyMap<number, Uint8Array>;
  /** NVIDIA's own fields by their number. */
  readonly opaque: ReadonlyMap<number, Uint8Array>;
  /** "550.90.07"; empty when the report names none. */
  readonly driverVersion: string;
  /** "96.00.9F.00.01"; empty when the report names none. */
  readonly vbiosVersion: string;
  /** Digest of the firmware that holds the signing key, if the report names it. */
  readonly firmwareId: Uint8Array | undefined;
  /** What the signature is over: request and response without it. */
  readonly signed: Uint8Array;
  /** ECDSA P-384, r ‖ s. */
  readonly signature: Uint8Array;
}

const reportBytesMax = 64 * 1024;
const nonceBytes = 32;
const signatureBytes = 96;
/** Numbers of NVIDIA's opaque fields. */
const field = { driverVersion: 3, vbiosVersion: 6, firmwareId: 20 } as const;

/** Reads forward; whatever is not there is a truncation. */
class Cursor {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  take(length: number): Uint8Array {
    demandGpu(
      length <= this.left,
      "GPU_REPORT_TRUNCATED",
      `The GPU's report ends too early: ${length} bytes were announced, ${this.left} are there.`,
    );
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** Little endian, of 1 to 3 bytes. */
  number(bytes: number): number {
    return this.take(bytes).reduceRight((value, byte) => value * 256 + byte, 0);
  }

  expect(bytes: readonly number[], what: string): void {
    const found = this.take(bytes.length);
    if (bytes.some((byte, i) => byte !== found[i])) throw malformed(`${what} is not as SPDM 1.1 has it`);
  }
}

/**
 * Reads what an NVIDIA GPU signs: an SPDM 1.1 GET_MEASUREMENTS request (37 bytes) and the response to it
 * (DMTF DSP0274 1.1 §10.11), whose opaque data are NVIDIA's type-length-value fields.
 * @throws GpuError GPU_EVIDENCE_TOO_LARGE, GPU_REPORT_TRUNCATED, GPU_REPORT_FORMAT
 */
export function parseSpdmReport(report: Uint8Array): SpdmReport {
  demandGpu(
    report.length <= reportBytesMax,
    "GPU_EVIDENCE_TOO_LARGE",
    `The GPU's report has ${report.length} bytes; at most ${reportBytesMax} are read.`,
  );
  const cursor = new Cursor(report);
  // SPDM 1.1, GET_MEASUREMENTS, signature requested, every measurement.
  cursor.expect([0x11, 0xe0, 0x01, 0xff], "the request's header");
  const nonce = cursor.take(nonceBytes);
  cursor.take(1);
  cursor.expect([0x11, 0x60], "the response's header");
  cursor.take(2);
  const blocks = cursor.number(1);
  const record = cursor.take(cursor.number(3));
  cursor.take(nonceBytes);
  const opaqueData = cursor.take(cursor.number(2));
  const signature = cursor.take(signatureBytes);
  if (cursor.left !== 0) throw malformed(`${cursor.left} bytes stand behind the signature`);
  const measurements = within(() => readMeasurements(new Cursor(record), blocks));
  const opaque = within(() => readOpaque(new Cursor(opaqueData)));
  return {
    nonce,
    measurements,
    opaque,
    driverVersion: text(opaque.get(field.driverVersion)),
    vbiosVersion: vbios(opaque.get(field.vbiosVersion)),
    firmwareId: opaque.get(field.firmwareId),
    signed: report.subarray(0, report.length - signatureBytes),
    signature,
  };
}

const malformed = (why: string, cause?: unknown): GpuError =>
  new GpuError("GPU_REPORT_FORMAT", `The GPU's report cannot be read: ${why}.`, cause);

/** A length inside a part that is whole contradicts that part; nothing was cut off. */
function within<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof GpuError && error.reason === "GPU_REPORT_TRUNCATED") {
      throw malformed("a field is longer than the part that it stands in", error);
    }
    throw error;
  }
}

function readMeasurements(cursor: Cursor, blocks: number): Map<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  for (let i = 0; i < blocks; i++) {
    const index = cursor.number(1);
    if (index === 0 || found.has(index))
      throw malformed(`measurement ${index} stands there twice or is none`);
    if (cursor.number(1) !== 1) throw malformed(`measurement ${index} is not of DMTF's kind`);
    const size = cursor.number(2);
    cursor.take(1);
    const valueSize = cursor.number(2);
    if (size !== valueSize + 3) throw malformed(`measurement ${index} has two sizes`);
    found.set(index, cursor.take(valueSize));
  }
  if (found.size === 0) throw malformed("it holds no measurement");
  if (cursor.left !== 0) throw malformed("something stands behind the measurements");
  return found;
}

function readOpaque(cursor: Cursor): Map<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  while (cursor.left > 0) {
    const type = cursor.number(2);
    if (found.has(type)) throw malformed(`field ${type} stands there twice`);
    found.set(type, cursor.take(cursor.number(2)));
  }
  return found;
}

/** ASCII up to the first zero byte. */
function text(bytes: Uint8Array = new Uint8Array(0)): string {
  const end = bytes.indexOf(0);
  const value = String.fromCharCode(...bytes.subarray(0, end === -1 ? bytes.length : Math.min(end, 64)));
  if (!/^[\x20-\x7e]{0,64}$/.test(value)) throw malformed("its driver version is no text");
  return value;
}

/** A little-endian number of four bytes, and a fifth behind it. */
function vbios(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return "";
  if (bytes.length < 5) throw malformed("its VBIOS version is too short");
  return [3, 2, 1, 0, 4].map((i) => (bytes[i] ?? 0).toString(16).toUpperCase().padStart(2, "0")).join(".");
}
