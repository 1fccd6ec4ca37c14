import { toHex } from "../wire/encoding.ts";
import { limits } from "../wire/limits.ts";
import { demand, refusal } from "./error.ts";

/** Intel's vendor id of its quoting enclave. */
const intelQeVendor = "939a7233f79c4ca9940a0db3957f0607";
const teeTdx = 0x81;
const headerBytes = 48;
/** By body type: TD 1.0, TD 1.5. */
const bodyBytes: ReadonlyMap<number, number> = new Map([
  [2, 584],
  [3, 648],
]);
const td10Bytes = 584;

/** A TD report inside a quote; registers as lower-case hex. */
export interface TdReport {
  readonly teeTcbSvn: Uint8Array;
  readonly mrSignerSeam: string;
  readonly seamAttributes: Uint8Array;
  readonly tdAttributes: string;
  readonly xfam: string;
  readonly mrTd: string;
  readonly mrConfigId: string;
  readonly mrOwner: string;
  readonly mrOwnerConfig: string;
  readonly rtmrs: readonly [string, string, string, string];
  readonly reportData: Uint8Array;
  /** TD 1.5 only. */
  readonly mrServiceTd: string | undefined;
  /** mr_td ‖ mr_config_id ‖ mr_owner ‖ mr_owner_config ‖ rtmr0..3 as they stand: 384 bytes. */
  readonly measured: Uint8Array<ArrayBuffer>;
}

/** The report of the quoting enclave, an SGX report. */
export interface QeReport {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly miscSelect: Uint8Array;
  readonly attributes: Uint8Array;
  readonly mrSigner: string;
  readonly isvProdId: number;
  readonly isvSvn: number;
  readonly reportData: Uint8Array;
}

export interface Quote {
  readonly version: 4 | 5;
  readonly report: TdReport;
  /** Header and body: what the attestation key signed. */
  readonly signedPart: Uint8Array<ArrayBuffer>;
  readonly signature: Uint8Array<ArrayBuffer>;
  /** x ‖ y. */
  readonly attestationKey: Uint8Array<ArrayBuffer>;
  readonly qeReport: QeReport;
  readonly qeReportSignature: Uint8Array<ArrayBuffer>;
  readonly qeAuthentication: Uint8Array<ArrayBuffer>;
  /** PEM, leaf first. */
  readonly pckChain: string;
  /** What stands behind the signature data and is read by nobody. */
  readonly paddingBytes: number;
}

/** Little-endian reader that never reads past what holds it. */
class QuoteReader {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #at = 0;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
  }

  take(size: number): Uint8Array<ArrayBuffer> {
    const end = this.#at + size;
    demand(end <= this.#bytes.length, "QUOTE_TRUNCATED", "The quote ends before what its lengths promise.");
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  number(size: 2 | 4): number {
    return this.take(size).reduceRight((sum, byte) => sum * 256 + byte, 0);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  within(size: number): QuoteReader {
    return new QuoteReader(this.take(size));
  }

  hex(size: number): string {
    return toHex(this.take(size));
  }

  /** Bytes behind a length that must be filled exactly. */
  end(): void {
    demand(
      this.#at === this.#bytes.length,
      "QUOTE_FORMAT",
      "A length inside the quote is larger than its content.",
    );
  }
}

/** v4 has a TD 1.0 report; v5 names its report's type and size. */
function bodySize(reader: QuoteReader, version: number): number {
  if (version === 4) return td10Bytes;
  const type = reader.number(2);
  const size = reader.number(4);
  demand(
    bodyBytes.get(type) === size,
    "QUOTE_FORMAT",
    `A quote of version 5 carries a TD report (body type 2 or 3); this one has type ${type}, ${size} bytes.`,
  );
  return size;
}

function readReport(bytes: Uint8Array<ArrayBuffer>): TdReport {
  const reader = new QuoteReader(bytes);
  const teeTcbSvn = reader.take(16);
  reader.take(48); // mr_seam: the module is judged by its signer, attributes and SVN
  const mrSignerSeam = reader.hex(48);
  const seamAttributes = reader.take(8);
  const tdAttributes = reader.hex(8);
  const xfam = reader.hex(8);
  const measured = bytes.subarray(136, 136 + 8 * 48);
  const mrTd = reader.hex(48);
  const mrConfigId = reader.hex(48);
  const mrOwner = reader.hex(48);
  const mrOwnerConfig = reader.hex(48);
  const rtmrs = [reader.hex(48), reader.hex(48), reader.hex(48), reader.hex(48)] as const;
  const reportData = reader.take(64);
  let mrServiceTd: string | undefined;
  if (bytes.length > td10Bytes) {
    reader.take(16); // tee_tcb_svn2: the module after an update in place; the launch SVN is judged
    mrServiceTd = reader.hex(48);
  }
  return {
    teeTcbSvn,
    mrSignerSeam,
    seamAttributes,
    tdAttributes,
    xfam,
    mrTd,
    mrConfigId,
    mrOwner,
    mrOwnerConfig,
    rtmrs,
    reportData,
    mrServiceTd,
    measured,
  };
}

function readQeReport(bytes: Uint8Array<ArrayBuffer>): QeReport {
  const reader = new QuoteReader(bytes);
  reader.take(16); // cpu_svn
  const miscSelect = reader.take(4);
  reader.take(28);
  const attributes = reader.take(16);
  reader.take(32 + 32); // mr_enclave, reserved
  const mrSigner = reader.hex(32);
  reader.take(96);
  const isvProdId = reader.number(2);
  const isvSvn = reader.number(2);
  reader.take(60);
  return { bytes, miscSelect, attributes, mrSigner, isvProdId, isvSvn, reportData: reader.take(64) };
}

/**
 * PROTOCOL §4 step 1: a TDX quote, v4, or v5 with a TD 1.0 or TD 1.5 report, with an ECDSA P-256
 * attestation key and a PCK chain inside. Whatever stands behind the signature data is padding.
 * @throws AttestationError of step "parse"
 */
export function parseQuote(bytes: Uint8Array<ArrayBuffer>): Quote {
  demand(
    bytes.length <= limits.quoteBytes,
    "QUOTE_TOO_LARGE",
    `The quote has ${bytes.length} bytes; at most ${limits.quoteBytes} are read.`,
  );
  const reader = new QuoteReader(bytes);
  const version = reader.number(2);
  if (version !== 4 && version !== 5)
    throw refusal(
      "QUOTE_VERSION",
      "This is no TDX quote of version 4 or 5 (a DICE token or an SGX quote is neither).",
    );
  demand(reader.number(2) === 2, "QUOTE_KEY_TYPE", "The quote's attestation key is not an ECDSA P-256 key.");
  demand(reader.number(4) === teeTdx, "QUOTE_TEE_TYPE", "The quote is not one of a TDX virtual machine.");
  reader.take(4);
  demand(reader.hex(16) === intelQeVendor, "QUOTE_VENDOR", "The quote's quoting enclave is not Intel's.");
  reader.take(20); // user data

  const size = bodySize(reader, version);
  const report = readReport(reader.take(size));
  const signedPart = bytes.subarray(0, headerBytes + (version === 5 ? 6 : 0) + size);
  const data = reader.within(reader.number(4));
  const signature = data.take(64);
  const attestationKey = data.take(64);
  demand(
    data.number(2) === 6,
    "QUOTE_CERTIFICATION",
    "The quote does not carry its quoting enclave's report.",
  );
  const certification = data.within(data.number(4));
  data.end();
  const qeReport = readQeReport(certification.take(384));
  const qeReportSignature = certification.take(64);
  const qeAuthentication = certification.take(certification.number(2));
  demand(
    certification.number(2) === 5,
    "QUOTE_CERTIFICATION",
    "The quote does not carry its PCK certificate chain.",
  );
  const chain = certification.take(certification.number(4));
  certification.end();
  return {
    version,
    report,
    signedPart,
    signature,
    attestationKey,
    qeReport,
    qeReportSignature,
    qeAuthentication,
    pckChain: String.fromCharCode(...chain),
    paddingBytes: reader.left,
  };
}
