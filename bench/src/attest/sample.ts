import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type AttestationPolicy,
  type Collateral,
  readCollateral,
  strictPolicy,
} from "@bombyx/protocol/attestation";
import { SimulatedWorld } from "@bombyx/protocol/simulation";
import { toBase64 } from "@bombyx/protocol/wire";

/** What both verifiers are asked, as plain data that a page can be given. */
export interface Sample {
  readonly name: string;
  /** Base64. */
  readonly quote: string;
  readonly collateral: Collateral;
  /** ms since epoch. */
  readonly at: number;
  readonly policy: AttestationPolicy;
  /** DER of the root, base64. */
  readonly root: string;
}

/** A real quote of Intel's world where the vectors are, else one of the simulated world. */
export async function takeSample(): Promise<Sample> {
  const folder = join(
    process.env.BOMBYX_VECTORS ?? new URL("../../../../shared/vectors", import.meta.url).pathname,
    "tdx",
  );
  if (!existsSync(folder)) return simulated();
  const read = (name: string) => new Uint8Array(readFileSync(join(folder, name)));
  return {
    name: "Intel TDX, version 4",
    quote: toBase64(read("cocoon_v4_90c06f.quote.bin")),
    collateral: readCollateral(readFileSync(join(folder, "intel_90c06f_2026-02.collateral.json"), "utf8")),
    at: Date.UTC(2026, 2, 1),
    policy: { ...strictPolicy, collateralMaxAgeMs: 30 * 86_400_000, registry: "none" },
    root: toBase64(read("IntelSGXRootCA.der")),
  };
}

async function simulated(): Promise<Sample> {
  const at = Date.UTC(2026, 10, 1);
  const world = await SimulatedWorld.create({ now: at });
  return {
    name: "simulated",
    quote: toBase64(await world.quote(new Uint8Array(64))),
    collateral: await world.collateral(at),
    at,
    policy: world.policy(),
    root: toBase64(world.rootDer),
  };
}
