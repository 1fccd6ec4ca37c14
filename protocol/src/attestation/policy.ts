import * as z from "zod";
import { count, hex } from "../wire/encoding.ts";

/** One whole row of a release: the registers are compared together, never one by one. */
export interface MeasurementRow {
  readonly release: string;
  readonly shape: string;
  /** 48 bytes each, lower-case hex. */
  readonly mrtd: string;
  readonly rtmr0: string;
  readonly rtmr1: string;
  readonly rtmr2: string;
  readonly rtmr3: string;
}

export interface TrustedRoot {
  readonly name: string;
  /** SHA-256 of the root certificate's DER, lower-case hex: byte equality. */
  readonly sha256: string;
  /** False only for Intel's root; decides the word "simulated" on screens. */
  readonly simulated: boolean;
  /** Exact subject common names of the roles below this root. */
  readonly names: {
    readonly pck: readonly string[];
    readonly pckCa: readonly string[];
    readonly tcbSigner: string;
    readonly root: string;
  };
}

/** Plain data, so that it can be written to a file by devnet and imported; comes from code at construction, never from a URL. */
export interface AttestationPolicy {
  readonly name: string;
  readonly root: TrustedRoot;
  readonly rows: readonly MeasurementRow[];
  /** Accepted TCB statuses besides UpToDate, each until a date (ms since epoch). */
  readonly tcbExceptions: readonly { readonly status: string; readonly until: number }[];
  /** XFAM values allowed, 8 bytes little-endian as lower-case hex. */
  readonly xfam: readonly string[];
  readonly gpuModes: readonly ("none" | "cc" | "plain")[];
  readonly minTcbEvaluation: number;
  readonly collateralMaxAgeMs: number;
  readonly beaconMaxAgeMs: number;
  /** Name of the chain whose blocks are beacons. */
  readonly chain: string;
}

const measurement = z.string().regex(/^[0-9a-f]{96}$/, "expected 48 bytes as lower-case hex");

/** For a process that is given a policy as a file (`--simulation FILE`). */
export const attestationPolicySchema = z.strictObject({
  name: z.string().min(1).max(64),
  root: z.strictObject({
    name: z.string(),
    sha256: hex.b32,
    simulated: z.boolean(),
    names: z.strictObject({
      root: z.string(),
      pckCa: z.array(z.string()),
      pck: z.array(z.string()),
      tcbSigner: z.string(),
    }),
  }),
  rows: z.array(
    z.strictObject({
      release: z.string(),
      shape: z.string(),
      mrtd: measurement,
      rtmr0: measurement,
      rtmr1: measurement,
      rtmr2: measurement,
      rtmr3: measurement,
    }),
  ),
  tcbExceptions: z.array(z.strictObject({ status: z.string(), until: count })),
  xfam: z.array(hex.b8),
  gpuModes: z.array(z.enum(["none", "cc", "plain"])),
  minTcbEvaluation: count,
  collateralMaxAgeMs: count,
  beaconMaxAgeMs: count,
  chain: z.string().min(1).max(32),
}) satisfies z.ZodType<AttestationPolicy>;
