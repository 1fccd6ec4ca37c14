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

/** Who may release: `threshold` of `keys` (Ed25519), held by different organisations, none an operator. */
export interface ReleaseKeys {
  readonly threshold: number;
  /** Public keys, 32 bytes, lower-case hex. */
  readonly keys: readonly string[];
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
  /** Releases that this policy knows by itself. Judged only while `release` is null. */
  readonly rows: readonly MeasurementRow[];
  /** Whose signed releases give the rows; null where the rows above are all there is. */
  readonly release: ReleaseKeys | null;
  /** Whether platforms must be registered and on no deny-list (step 11). */
  readonly registry: "required" | "none";
  /** Accepted TCB statuses besides UpToDate, each until a date (ms since epoch). */
  readonly tcbExceptions: readonly { readonly status: string; readonly until: number }[];
  /**
   * mr_config_id, mr_owner and mr_owner_config, which the host sets at launch: zero, as Bombyx has them, or
   * whatever they are, for a verifier that only shows measurements.
   */
  readonly ownerRegisters: "zero" | "any";
  /** XFAM values allowed, 8 bytes little-endian as lower-case hex. */
  readonly xfam: readonly string[];
  readonly gpuModes: readonly ("none" | "cc" | "plain")[];
  readonly minTcbEvaluation: number;
  readonly minCrlNumber: number;
  readonly collateralMaxAgeMs: number;
  readonly beaconMaxAgeMs: number;
  /** Name of the chain whose blocks are beacons. */
  readonly chain: string;
}

const measurement = z.string().regex(/^[0-9a-f]{96}$/, "expected 48 bytes as lower-case hex");

export const measurementRowSchema = z.strictObject({
  release: z.string().min(1).max(64),
  shape: z.string().min(1).max(64),
  mrtd: measurement,
  rtmr0: measurement,
  rtmr1: measurement,
  rtmr2: measurement,
  rtmr3: measurement,
}) satisfies z.ZodType<MeasurementRow>;

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
  rows: z.array(measurementRowSchema),
  release: z
    .strictObject({ threshold: z.int().min(1), keys: z.array(hex.b32).min(1).max(8) })
    .refine(({ threshold, keys }) => threshold <= new Set(keys).size, "fewer keys than must sign")
    .nullable(),
  registry: z.enum(["required", "none"]),
  tcbExceptions: z.array(z.strictObject({ status: z.string(), until: count })),
  ownerRegisters: z.enum(["zero", "any"]),
  xfam: z.array(hex.b8),
  gpuModes: z.array(z.enum(["none", "cc", "plain"])),
  minTcbEvaluation: count,
  minCrlNumber: count,
  collateralMaxAgeMs: count,
  beaconMaxAgeMs: count,
  chain: z.string().min(1).max(32),
}) satisfies z.ZodType<AttestationPolicy>;
