import { limits } from "../wire/limits.ts";
import type { AttestationPolicy, TrustedRoot } from "./policy.ts";

/** Intel SGX Root CA (certificates.trustedservices.intel.com/IntelSGXRootCA.der), by the hash of its DER. */
export const intelRoot: TrustedRoot = {
  name: "Intel SGX Root CA",
  sha256: "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3",
  simulated: false,
  names: {
    root: "Intel SGX Root CA",
    pckCa: ["Intel SGX PCK Platform CA", "Intel SGX PCK Processor CA"],
    pck: ["Intel SGX PCK Certificate"],
    tcbSigner: "Intel SGX TCB Signing",
  },
};

/**
 * What a client has without being told otherwise. It lists no measurements until there is a release,
 * so it refuses every quote at MEASUREMENT at the latest.
 */
export const strictPolicy: AttestationPolicy = {
  name: "strict",
  root: intelRoot,
  rows: [],
  release: null,
  registry: "required",
  tcbExceptions: [],
  ownerRegisters: "zero",
  // x87, SSE, AVX, AVX-512 and AMX, with and without protection keys.
  xfam: ["e702060000000000", "e700060000000000"],
  gpuModes: ["none", "cc"],
  minTcbEvaluation: 18,
  minCrlNumber: 1,
  collateralMaxAgeMs: 7 * 86_400_000,
  beaconMaxAgeMs: limits.beaconMaxAgeMs,
  chain: "ton",
};
