import { type ChannelView, ClientChannel } from "@bombyx/contracts/client-channel";
import { codeOf } from "@bombyx/contracts/code";
import { Address, type ContractProvider } from "@ton/core";
import type { AccountState } from "../chain/ton-endpoints.ts";

/** Where the channel of this owner lies: nobody's word, but the hash of what it begins with. */
export function channelOf(identity: { owner: string; vault: string; salt: string }): ClientChannel {
  return ClientChannel.fromIdentity(
    {
      owner: Address.parse(identity.owner),
      vault: Address.parse(identity.vault),
      salt: BigInt(identity.salt),
    },
    codeOf("client-channel"),
  );
}

/** The contract's own state, read by its wrapper; `undefined` while it is not deployed. */
export async function readChannel(address: Address, account: AccountState): Promise<ChannelView | undefined> {
  const { state, code, data, balanceNano } = account;
  if (state !== "active" || code === null || data === null) return undefined;
  const known: Pick<ContractProvider, "getState"> = {
    getState: async () => ({
      balance: balanceNano,
      extracurrency: null,
      last: null,
      state: { type: "active", code, data },
    }),
  };
  // It asks for nothing else.
  return await new ClientChannel(address).getChannel(known as ContractProvider);
}
