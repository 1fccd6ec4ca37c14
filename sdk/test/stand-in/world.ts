import type { AttestationPolicy } from "@bombyx/protocol/attestation";
import { ready } from "@bombyx/protocol/session";
import { SimulatedWorld } from "@bombyx/protocol/simulation";
import { toBase64, toHex, utf8 } from "@bombyx/protocol/wire";
import type { Policy } from "@bombyx/sdk";

/** A synthetic TDX world and a chain of one block, served at two addresses. */
export class TestWorld {
  readonly simulation: SimulatedWorld;
  readonly bornAt: number;
  readonly #blockHash: Uint8Array;

  private constructor(simulation: SimulatedWorld, bornAt: number, blockHash: Uint8Array) {
    this.simulation = simulation;
    this.bornAt = bornAt;
    this.#blockHash = blockHash;
  }

  static async create(): Promise<TestWorld> {
    await ready;
    const now = Date.now();
    const hash = await crypto.subtle.digest("SHA-256", utf8(`block ${now}`));
    return new TestWorld(await SimulatedWorld.create({ now }), now, new Uint8Array(hash));
  }

  get beacon() {
    return { chain: "bombyx-devnet", seqno: 7, hash: toHex(this.#blockHash) };
  }

  policy(overrides: Partial<AttestationPolicy> = {}): Policy {
    return {
      attestation: this.simulation.policy(overrides),
      chainEndpoints: ["http://chain-a.test/api/v2", "http://chain-b.test/api/v2"],
    };
  }

  /** toncenter v2, as far as a beacon needs it. */
  chain(url: URL): Response {
    const result = url.pathname.endsWith("/getBlockHeader")
      ? {
          id: {
            workchain: -1,
            shard: "-9223372036854775808",
            seqno: Number(url.searchParams.get("seqno")),
            root_hash: toBase64(this.#blockHash),
          },
          gen_utime: Math.floor(this.bornAt / 1_000),
        }
      : { last: { seqno: 7 } };
    return Response.json({ ok: true, result });
  }
}
