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
