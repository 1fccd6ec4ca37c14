import { codeOf } from "@bombyx/contracts/code";
import { Registry } from "@bombyx/contracts/registry";
import { Vault } from "@bombyx/contracts/vault";
import { vaultMessages } from "@bombyx/contracts/vault-messages";
import { type Cell, internal, SendMode } from "@ton/core";
import { clientInProcess } from "../ton/client.ts";
import type { LocalTon } from "../ton/local-ton.ts";
import type { Operator } from "./operator-keys.ts";

export interface ContractCode {
  readonly clientChannel: Cell;
  readonly nodeAccount: Cell;
}

/** The contracts of this devnet. */
export interface Settlement {
  readonly vault: Vault;
  readonly registry: Registry;
  readonly code: ContractCode;
  readonly operator: Operator;
}

const gram = 1_000_000_000n;
/** With a deposit; what is over comes back. */
const depositFee = 50_000_000n;
/** The operator's share of channel payments in 1/10000. */
const feeBps = 1_000;

/** The contracts' addresses follow from the operator's keys, before anything is on the chain. */
export function settlementOf(operator: Operator): Settlement {
  const code = { clientChannel: codeOf("client-channel"), nodeAccount: codeOf("node-account") };
  const { owner, guardian, committer, release, ack, salt } = operator;
  const addresses = { owner: owner.wallet.address, guardian: guardian.wallet.address };
  const vault = Vault.fromTerms(
    { ...addresses, committer: committer.wallet.address, ackKey: ack.publicKey, feeBps, salt },
    codeOf("vault"),
    code,
  );
  const [first, second, third] = release;
  const registry = Registry.fromTerms(
    {
      ...addresses,
      releaseKeys: [first.wallet.address, second.wallet.address, third.wallet.address],
      salt,
    },
    codeOf("registry"),
  );
  return { vault, registry, code, operator };
}

/** What a chain needs before anybody pays: the operator's wallets with money in them, Vault and Registry. */
export async function deploySettlement(ton: LocalTon, operator: Operator): Promise<Settlement> {
  const settlement = settlementOf(operator);
  const { vault, registry } = settlement;
  const { owner } = operator;
  const missing = [vault, registry].filter(
    ({ address }) => ton.account(address)?.storage.state.type !== "active",
  );
  if (missing.length > 0) {
    await fill(ton, operator);
    const wallet = clientInProcess(ton).open(owner.wallet);
    await wallet.sendTransfer({
      seqno: await wallet.getSeqno(),
      secretKey: owner.keys.secretKey,
      sendMode: SendMode.PAY_GAS_SEPARATELY,
      messages: missing.map(({ address, init }) =>
        internal({ to: address, value: gram, bounce: false, init: init ?? null }),
      ),
    });
    await ton.settled();
  }
  return settlement;
}

/**
 * The operator's own deposit, from which this devnet's developer pays for people without a wallet. Once: what the vault
 * has already is not paid in again.
 * @returns whether it was made now
 */
export async function depositAllowance(
  ton: LocalTon,
  { vault, operator }: Settlement,
  { sponsor, nano }: { readonly sponsor: bigint; readonly nano: bigint },
): Promise<boolean> {
  const { owner } = operator;
  const client = clientInProcess(ton);
  const { ownerDepositNano, nodesCreditNano } = await client.open(vault).getVault();
  if (ownerDepositNano + nodesCreditNano > 0n || nano === 0n) return false;
  if (ton.balance(owner.wallet.address) < nano + gram) await ton.faucet(owner.wallet.address, nano + gram);
  await ton.settled();
  const wallet = client.open(owner.wallet);
  await wallet.sendTransfer({
    seqno: await wallet.getSeqno(),
    secretKey: owner.keys.secretKey,
    sendMode: SendMode.PAY_GAS_SEPARATELY,
    messages: [
      internal({
        to: vault.address,
        value: nano + depositFee,
        bounce: true,
        body: vaultMessages.sponsorDeposit(sponsor, nano),
      }),
    ],
  });
  await ton.settled();
  return true;
}

async function fill(ton: LocalTon, { owner, guardian, committer, release }: Operator): Promise<void> {
  const amounts = [
    [owner, 1_000n],
    [guardian, 100n],
    [committer, 100n],
    ...release.map((key) => [key, 10n] as const),
  ] as const;
  for (const [{ wallet }, amount] of amounts) {
    if (ton.balance(wallet.address) < gram) await ton.faucet(wallet.address, amount * gram);
  }
  await ton.settled();
}
