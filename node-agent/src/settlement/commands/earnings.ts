import { DisputeWallet, disputeFundsNano, disputeLeastNano } from "../dispute-wallet.ts";
import { gramText } from "../gram.ts";
import { shown } from "../orders.ts";
import { payoutWallet } from "../payout-account.ts";
import { dueNano, type NodeStatement, stateOf } from "../statement-of-node.ts";
import type { ChainReader } from "../vault-reader.ts";
import { type Money, type MoneyEnvironment, moneyCommand, moneyFlagsHelp } from "./money-command.ts";

const help = `bombyx-node earnings [options]

What this machine's nodes earned, as far as they can prove it themselves: what is final, paid, and what to do next.

${moneyFlagsHelp}`;

const finalAfterMs = 24 * 3_600_000;

interface Purse {
  readonly address: string;
  readonly balanceNano: bigint | undefined;
}

/** `bombyx-node earnings`. @returns 0, 1 when there is nothing to show, 2 on wrong usage */
export function earningsCommand(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
  around: MoneyEnvironment,
): Promise<number> {
  return moneyCommand("earnings", help, argv, environment, around, async (money) => {
    const { stdout, stderr } = around;
    for (const node of money.nodes) {
      const pages = { gateway: money.gateway, fetch: around.fetch };
      let statement = await stateOf(node, undefined, pages);
      let chain: ChainReader | undefined = money.chain;
      try {
        if (chain) statement = await stateOf(node, chain, pages);
      } catch (error) {
        stderr.write(`bombyx-node earnings: ${error instanceof Error ? error.message : String(error)}\n`);
        chain = undefined;
      }
      const purse = await purseOf(money, node.pin.globalId, chain);
      stdout.write(
        money.flags.json ? `${JSON.stringify(asJson(statement, purse))}\n` : page(statement, purse),
      );
    }
    return 0;
  });
}

async function purseOf({ state }: Money, globalId: number, chain: ChainReader | undefined): Promise<Purse> {
  const { address } = await DisputeWallet.open(state, globalId);
  const balanceNano = await chain?.balanceNano(address).catch(() => undefined);
  return { address: shown(address, globalId, false), balanceNano };
}

/** What the owner should do now, in a sentence. */
export function nextStep(statement: NodeStatement, purse: Purse): string {
  const { account, onChain, finalProof } = statement;
  if (account === undefined) {
    return "start the node with --payout ADDRESS: a node without a wallet cannot be paid on chain (it is then a new node)";
  }
  if (onChain === undefined) {
    return "give --chain-endpoints URL,URL to see what is final and paid; bombyx-node claim works from what is kept";
  }
  const due = dueNano(statement) ?? 0n;
  if (due > 0n) return `bombyx-node claim: ${gramText(due)} GRAM can be claimed now`;
  if (onChain.finalRoot && finalProof && !onChain.current) {
    return `the proof of epoch ${onChain.finalRoot.epoch} is missing: run this again with --gateway URL, or ask the operator for its published leaves`;
  }
  if (purse.balanceNano !== undefined && purse.balanceNano < disputeLeastNano) {
    return `send ${gramText(disputeFundsNano)} GRAM to the wallet for disputes, ${purse.address}: without it nobody stops a root that takes your earnings away`;
  }
  if (onChain.pending) return "wait: a pending root becomes final 24 hours after it was committed";
  return "nothing: what is earned is in the next epoch";
}

function page(statement: NodeStatement, purse: Purse): string {
  const { pin, account, onChain, finalProof, finalAt } = statement;
  const rows: [string, string, string][] = [
    ["earned", gramText(statement.earnedNano), `acknowledged for ${statement.requests} requests`],
    ["held", gramText(statement.heldNano), "of it, as for every new node; comes in a later epoch"],
  ];
  if (onChain?.pending) {
    const { root, sinceAt, earnedNano } = onChain.pending;
    rows.push([
      "pending",
      earnedNano === undefined ? "?" : gramText(earnedNano),
      `epoch ${root.epoch}, final at ${time(sinceAt + finalAfterMs)}${earnedNano === undefined ? "; no proof was shown yet" : ""}`,
    ]);
  }
  const age = finalAt !== undefined && onChain ? `, ${hours(onChain.at - finalAt)} old` : "";
  rows.push([
    "final",
    gramText(finalProof?.leaf.earned ?? 0n),
    finalProof ? `proof of epoch ${finalProof.root.epoch} kept${age}` : "no proof yet",
  ]);
  if (onChain) rows.push(["paid", gramText(onChain.claimedNano), "claimed so far"]);
  const width = Math.max(...rows.map(([, sum]) => sum.length));
  const balance = purse.balanceNano === undefined ? "" : `, holds ${gramText(purse.balanceNano)} GRAM`;
  const owner = payoutWallet(pin.payout);
  return [
    `Node ${pin.node.slice(0, 8)}…, in GRAM`,
    ...rows.map(([what, sum, words]) => `  ${what.padEnd(8)} ${sum.padStart(width)}  ${words}`),
    `  vault    ${shown(addressOf(pin.vault), pin.globalId)}`,
    ...(account ? [`  account  ${shown(account.address, pin.globalId)}`] : []),
    ...(owner ? [`  wallet   ${shown(owner, pin.globalId, false)}`] : []),
    `  disputes ${purse.address}${balance}; should hold ${gramText(disputeFundsNano)} GRAM`,
    `  next     ${nextStep(statement, purse)}.`,
    "",
  ].join("\n");
}

const addressOf = (raw: string) => {
  const found = payoutWallet(raw);
  if (!found) throw new RangeError(`${raw} is no address`);
  return found;
};
const time = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
const hours = (ms: number): string => `${Math.max(0, Math.floor(ms / 3_600_000))} h`;

/** Amounts as decimal strings of nano. */
const asJson = (statement: NodeStatement, purse: Purse) => ({
  node: statement.pin.node,
  globalId: statement.pin.globalId,
  vault: statement.pin.vault,
  account: statement.account?.address.toRawString() ?? null,
  requests: statement.requests,
  earnedNano: String(statement.earnedNano),
  heldNano: String(statement.heldNano),
  pendingNano: text(statement.onChain?.pending?.earnedNano),
  finalNano: String(statement.finalProof?.leaf.earned ?? 0n),
  paidNano: text(statement.onChain?.claimedNano),
  dueNano: text(dueNano(statement)),
  proof: statement.finalProof
    ? { epoch: statement.finalProof.root.epoch, finalAt: statement.finalAt ?? null }
    : null,
  disputeWallet: {
    address: purse.address,
    balanceNano: text(purse.balanceNano),
    shouldHoldNano: String(disputeFundsNano),
  },
  next: nextStep(statement, purse),
});

const text = (nano: bigint | undefined): string | null => (nano === undefined ? null : String(nano));
