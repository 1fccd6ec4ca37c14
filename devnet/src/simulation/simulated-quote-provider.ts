import type { QuoteProvider } from "@bombyx/node-agent";
import type { Collateral } from "@bombyx/protocol/attestation";
import type { SimulatedWorld } from "@bombyx/protocol/simulation";

/**
 * Stands where the TDX hardware of a node would: its quotes come from this devnet's own synthetic world,
 * on a platform of its own, and are judged by the same verifier as real ones.
 */
export class SimulatedQuoteProvider implements QuoteProvider {
  readonly #world: SimulatedWorld;
  readonly #platform: string;
  readonly #now: () => number;

  /** @param platform name of the machine; each has its own platform id. */
  constructor(world: SimulatedWorld, platform: string, now: () => number) {
    this.#world = world;
    this.#platform = platform;
    this.#now = now;
  }

  quote(reportData: Uint8Array): Promise<Uint8Array> {
    return this.#world.quote(reportData, { platform: this.#platform });
  }

  collateral(): Promise<Collateral> {
    return this.#world.collateral(this.#now(), { platform: this.#platform });
  }
}
