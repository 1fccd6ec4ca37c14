import { refusalOf } from "@bombyx/contracts/refusal";
import type { Address, Cell, Transaction } from "@ton/core";
import type { Settlement } from "../settlement/deploy.ts";
import type { LocalTon } from "../ton/local-ton.ts";
import { walletKind } from "../ton/wallet-kinds.ts";
import type { Party } from "./report.ts";

export type NameParty = (address: Address) => Party;

/** Who is who on this chain: the operator's by their keys, the others by their code. */
export function parties(ton: LocalTon, { vault, registry, operator, code }: Settlement): NameParty {
  const { owner, guardian, committer, release } = operator;
  const known = new Map<string, Omit<Party, "address">>([
    [vault.address.toRawString(), { name: "Vault", kind: "vault" }],
    [registry.address.toRawString(), { name: "Registry", kind: "registry" }],
    [ton.faucetAddress.toRawString(), { name: "Faucet", kind: "faucet" }],
    [owner.wallet.address.toRawString(), { name: "Operator", kind: "wallet" }],
    [guardian.wallet.address.toRawString(), { name: "Guardian", kind: "wallet" }],
    [committer.wallet.address.toRawString(), { name: "Commit key", kind: "wallet" }],
    ...release.map(
      ({ wallet }, at) =>
        [wallet.address.toRawString(), { name: `Release key ${at + 1}`, kind: "wallet" }] as const,
    ),
  ]);
  const byCode = new Map<string, Omit<Party, "address">>([
    [code.clientChannel.hash().toString("hex"), { name: "Channel", kind: "channel" }],
    [code.nodeAccount.hash().toString("hex"), { name: "Node account", kind: "node-account" }],
  ]);
  return (address) => {
    const found = known.get(address.toRawString());
    if (found) return { address: address.toString(), ...found };
    const state = ton.account(address)?.storage.state;
    const own = state?.type === "active" ? state.state.code : undefined;
    const kind: Omit<Party, "address"> = own
      ? (byCode.get(own.hash().toString("hex")) ?? walletOr(own))
      : { name: "Account", kind: "empty" };
    return { address: address.toString(), ...kind };
  };
}

const walletOr = (code: Cell): Omit<Party, "address"> =>
  walletKind(code) === undefined ? { name: "Contract", kind: "other" } : { name: "Wallet", kind: "wallet" };

/** Why an account did not do what a message asked, in words. */
export function refusalWords(transaction: Transaction): string | undefined {
  const refusal = refusalOf(transaction);
  if (!refusal) return undefined;
  return `${refusal.refusal ?? "Refused"} (${refusal.code}): ${refusal.fix}`;
}
