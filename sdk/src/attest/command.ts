import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import {
  AttestationError,
  attestationReasons,
  type Bundle,
  describeQuote,
  parseBundle,
  readCollateral,
  toncenterChainView,
} from "@bombyx/protocol/attestation";
import { BombyxError } from "@bombyx/protocol/wire";
import * as z from "zod";
import { beaconOf, verifyBundlePublicly, verifyPublicly } from "./verify.ts";

/** The part of `process` that the command uses. */
export interface Output {
  readonly stdout: { write(text: string): unknown };
}

export const attestHelp = `  bombyx attest verify --quote FILE --collateral FILE [--at TIME] [--root DER] [--policy FILE]
  bombyx attest verify --bundle FILE [--at TIME] [--root DER] [--policy FILE] [--chain-endpoints URL,URL]
      Judges anybody's TDX quote and prints one JSON object: exit 0 accepted, 1 refused, 2 wrong usage.

      --quote FILE       the quote, binary or hex
      --collateral FILE  Intel's documents for it, JSON with nine strings
      --bundle FILE      a node's bundle, or the file that the proof sheet exports
      --at TIME          ISO 8601 (default: now)
      --root DER         trust this root certificate instead of Intel's
      --policy FILE      JSON (or a module, as .devnet/policy.js): any fields of an attestation policy, and "reportData"; without rows measurements
                         are shown and not judged
      --chain-endpoints  two or more toncenter APIs that must agree on the bundle's beacon

  bombyx attest show FILE
      Prints a quote field by field; nothing is verified.
`;

/** @returns the exit code: 0, 1 (refused) or 2 (wrong usage). */
export async function attestCommand(args: readonly string[], shell: Output): Promise<number> {
  const print = (value: object) => shell.stdout.write(`${JSON.stringify(value)}\n`);
  try {
    const [command, ...rest] = args;
    if (command === "verify") print(await verify(rest));
    else if (command === "show") print(await show(rest));
    else if (command === "--help" || command === "-h") shell.stdout.write(attestHelp);
    else throw usage("attest takes verify or show.");
    return 0;
  } catch (error) {
    if (error instanceof AttestationError) {
      print({ ok: false, code: error.reason, step: error.step, message: error.message });
      return 1;
    }
    const message = error instanceof Error ? error.message : String(error);
    print({ ok: false, code: "USAGE", step: "usage", message });
    return 2;
  }
}

async function verify(args: readonly string[]): Promise<object> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quote: { type: "string" },
      collateral: { type: "string" },
      bundle: { type: "string" },
      at: { type: "string" },
      root: { type: "string" },
      policy: { type: "string" },
      "chain-endpoints": { type: "string" },
    },
  });
  const root = values.root === undefined ? undefined : derOf(await bytesOf("--root", values.root));
  const policy = values.policy === undefined ? undefined : await policyOf(values.policy);
  const common = { ...(root && { root }), ...(policy !== undefined && { policy }) };
  if (values.bundle !== undefined) {
    if (values.quote !== undefined || values.collateral !== undefined)
      throw usage("--bundle stands alone: it holds its quote and its collateral.");
    const bundle = parseBundle(withoutLineEnd(await bytesOf("--bundle", values.bundle)));
    const endpoints = values["chain-endpoints"]?.split(",") ?? chainEndpointsOf(policy);
    const chain = endpoints && toncenterChainView({ endpoints, chain: chainNameOf(bundle), fetch });
    const at = values.at === undefined ? Date.now() : instant(values.at);
    return verifyBundlePublicly(bundle, { at, ...common, ...(chain && { chain }) });
  }
  if (values.quote === undefined) throw usage("--quote FILE (or --bundle FILE) is missing.");
  if (values.collateral === undefined) throw usage("--collateral FILE is missing.");
  const at = values.at === undefined ? Date.now() : instant(values.at);
  const quote = binary(await bytesOf("--quote", values.quote));
  const text = new TextDecoder().decode(await bytesOf("--collateral", values.collateral));
  return verifyPublicly({ quote, collateral: readCollateral(text), at, ...common });
}

async function show(args: readonly string[]): Promise<object> {
  const { positionals } = parseArgs({ args: [...args], allowPositionals: true });
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) throw usage("attest show takes one FILE.");
  return describeQuote(binary(await bytesOf("FILE", file)));
}

const usage = (message: string): BombyxError =>
  new BombyxError("BAD_REQUEST", `${message} See bombyx attest --help.`, { field: "argv" });

async function bytesOf(flag: string, file: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await readFile(file));
  } catch (error) {
    throw usage(`${flag} ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

/** A line end that an editor added says nothing about a bundle. */
function withoutLineEnd(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  let end = bytes.length;
  while (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d) end--;
  return bytes.subarray(0, end);
}

/** Quotes are also handed around as hex, with or without 0x. */
function binary(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (bytes[0] !== 0x30 || bytes.length > 64 * 1024) return bytes;
  const digits = new TextDecoder().decode(bytes).trim().replace(/^0x/, "");
  return /^([0-9a-fA-F]{2})+$/.test(digits) ? new Uint8Array(Buffer.from(digits, "hex")) : bytes;
}

/** A root may also come as PEM. */
function derOf(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const text = bytes[0] === 0x2d ? new TextDecoder().decode(bytes) : "";
  const body = /-----BEGIN CERTIFICATE-----([^-]+)-----END/.exec(text)?.[1];
  return body === undefined ? bytes : new Uint8Array(Buffer.from(body, "base64"));
}

/** JSON, or a module whose default export is a policy, as a devnet writes it. */
async function policyOf(file: string): Promise<unknown> {
  if (/\.m?[jt]s$/.test(file)) {
    const module: { default?: unknown } = await import(pathToFileURL(resolve(file)).href);
    return module.default;
  }
  const text = new TextDecoder().decode(await bytesOf("--policy", file));
  try {
    return JSON.parse(text);
  } catch (error) {
    throw usage(`--policy ${file} is not JSON: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

/** An SDK policy around an attestation policy names them. */
function chainEndpointsOf(policy: unknown): string[] | undefined {
  const parsed = z.object({ chainEndpoints: z.array(z.url()).min(2) }).safeParse(policy);
  return parsed.success ? parsed.data.chainEndpoints : undefined;
}

const chainNameOf = (bundle: Bundle): string => beaconOf(bundle).chain;

/** @throws AttestationError TIME for anything but an ISO date or time with its zone, so that no machine's zone decides. */
function instant(text: string): number {
  const whole = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(text);
  const at = whole ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at))
    throw new AttestationError(
      "TIME",
      attestationReasons.TIME,
      `The instant --at is an ISO time such as 2026-03-01T00:00:00Z, not ${text}.`,
    );
  return at;
}
