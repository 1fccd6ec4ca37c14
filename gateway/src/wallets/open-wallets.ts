import { Address } from "@ton/core";
import type { Kysely } from "kysely";
import type { TonEndpoints } from "../chain/ton-endpoints.ts";
import type { StoreSchema } from "../store/schema.ts";
import { Wallets } from "./wallets.ts";

/** The wallets of a gateway that settles on a chain; a key that no known code holds is asked of the chain itself. */
export function openWallets(parts: {
  readonly db: Kysely<StoreSchema>;
  readonly globalId: number;
  /** Pages that may call the API: the hosts that proofs are made for. */
  readonly origins: readonly string[];
  readonly endpoints: TonEndpoints;
  readonly now: () => number;
}): Wallets {
  const { db, globalId, origins, endpoints, now } = parts;
  const domains = origins.map((origin) => new URL(origin).host);
  const publicKeyOnChain = async (raw: string): Promise<Uint8Array | undefined> => {
    const address = Address.parseRaw(raw);
    const { state } = await endpoints.account(address);
    if (state !== "active") return undefined;
    // A contract without that method answers with an exit code, which counts as none.
    const key = await endpoints.agree(
      `the key of ${raw}`,
      async (client) => {
        const { stack, exit_code: code } = await client.runMethodWithError(address, "get_public_key");
        return code === 0 ? stack.readBigNumber() : -1n;
      },
      String,
    );
    return key < 0n ? undefined : Buffer.from(key.toString(16).padStart(64, "0"), "hex");
  };
  return new Wallets(db, { globalId, domains, publicKeyOnChain }, now);
}
