import { writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { BombyxError } from "@bombyx/protocol/wire";
import { DisputeWallet, type Order } from "../dispute-wallet.ts";
import { gramText } from "../gram.ts";
import { proofJson } from "../node-proof.ts";
import { claimOrder, claimValueNano, orderFile, shown } from "../orders.ts";
import { dueNano, type NodeStatement, stateOf } from "../statement-of-node.ts";
import type { ChainReader } from "../vault-reader.ts";
import { type Money, type MoneyEnvironment, moneyCommand, moneyFlagsHelp } from "./money-command.ts";

const help = `bombyx-node claim [--out FILE] [--send] [options]

Claims what is final from what this machine kept, when the gateway is gone, too: prints a message that any wallet can
send. It pays only your own wallet, whoever sends it.

  --out FILE                 the message and its proof as a file
  --send                     send it from the node's own wallet for disputes, and wait until it is paid
${moneyFlagsHelp}`;

/** A block or ten. */
const paidWithinMs = 90_000;
const lookEveryMs = 1_000;

/** `bombyx-node claim`. @returns 0, 1 when nothing can be claimed, 2 on wrong usage */
export function claimCommand(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
  around: MoneyEnvironment,
): Promise<number> {
  return moneyCommand("claim", help, argv, environment, around, async (money) => {
    const [node, ...others] = money.nodes;
    if (!node || others.length > 0) {
      const ids = money.nodes.map(({ pin }) => pin.node.slice(0, 8)).join(", ");
      throw new BombyxError(
        "BAD_REQUEST",
        `This folder has several nodes (${ids}); say which: --node BEGIN.`,
      );
    }
    const pages = { gateway: money.gateway, fetch: around.fetch };
    const statement = await stateOf(node, money.chain, pages);
    const order = orderOf(statement);
    const { globalId } = node.pin;
    const file = orderFile("claim", globalId, order);
    const proof = statement.finalProof && proofJson(statement.finalProof);
    if (money.flags.out !== undefined) {
      await writeFile(money.flags.out, `${JSON.stringify({ ...file, proof }, undefined, 2)}\n`);
    }
    const due = dueNano(statement);
    const paidNano = money.flags.send ? await send(money, statement, order, globalId) : undefined;
    const { stdout } = around;
    if (money.flags.json) {
      const sums = { dueNano: due?.toString() ?? null, paidNano: paidNano?.toString() ?? null };
      stdout.write(`${JSON.stringify({ ...file, ...sums, proof })}\n`);
    } else if (paidNano !== undefined) {
      stdout.write(`Paid: ${gramText(paidNano)} GRAM went to ${node.pin.payout}.\n`);
    } else {
      stdout.write(
        [
          due === undefined
            ? "Claims what the kept proof shows and was not paid yet (the chain was not asked)."
            : `Claims ${gramText(due)} GRAM.`,
          "Send this with any wallet; what the message does not cost comes back:",
          `  to       ${file.friendly}`,
          `  amount   ${gramText(claimValueNano)} GRAM`,
          `  payload  ${file.payload}`,
          ...(file.stateInit ? [`  init     ${file.stateInit}`] : []),
          `  or open  ${file.link}`,
          ...(money.flags.out === undefined ? [] : [`Written to ${money.flags.out}.`]),
          "",
        ].join("\n"),
      );
    }
    return 0;
  });
}

/** @throws BombyxError NOT_FOUND when there is nothing to claim with */
function orderOf(statement: NodeStatement): Order {
  const { account, finalProof, onChain } = statement;
  if (account === undefined) {
    throw new BombyxError(
      "NOT_FOUND",
      "This node has no --payout wallet, so nothing of it can be claimed on chain.",
    );
  }
  if (finalProof === undefined) {
    throw new BombyxError(
      "NOT_FOUND",
      "Nothing of this node is final yet: a root becomes final 24 hours after its commit.",
    );
  }
  if (onChain && !onChain.current) {
    throw new BombyxError(
      "NOT_FOUND",
      `The kept proof is of epoch ${finalProof.root.epoch}, claims run on epoch ${onChain.finalRoot?.epoch}, and its proof is missing. Run this with --gateway URL, or ask the operator for the published leaves.`,
    );
  }
  if (dueNano(statement) === 0n) throw new BombyxError("NOT_FOUND", "All that is final is paid already.");
  // A StateInit that is not needed does no harm; one that is missing does.
  return claimOrder(account, finalProof, onChain?.deployed ?? false);
}

async function send(
  { chain, state }: Money,
  { account, onChain }: NodeStatement,
  order: Order,
  globalId: number,
): Promise<bigint> {
  if (!chain || !onChain || !account) {
    throw new BombyxError("BAD_REQUEST", "--send needs --chain-endpoints URL,URL.");
  }
  const wallet = await DisputeWallet.open(state, globalId);
  if ((await chain.balanceNano(wallet.address)) < claimValueNano + claimValueNano / 5n) {
    throw new BombyxError(
      "BAD_REQUEST",
      `The node's wallet ${shown(wallet.address, globalId, false)} holds less than ${gramText(claimValueNano + claimValueNano / 5n)} GRAM; send it some, or send the message with your own wallet.`,
    );
  }
  const seqno = await chain.seqno(wallet.address);
  await chain.send(wallet.signed(order, seqno, onChain.at + paidWithinMs));
  return await paid(chain, account.address, onChain.claimedNano);
}

/** The outcome is the chain's: what the account was paid more than before. */
async function paid(
  chain: ChainReader,
  account: Parameters<ChainReader["claimedNano"]>[0],
  before: bigint,
): Promise<bigint> {
  for (let waitedMs = 0; waitedMs < paidWithinMs; waitedMs += lookEveryMs) {
    const claimed = await chain.claimedNano(account);
    if (claimed > before) return claimed - before;
    await sleep(lookEveryMs);
  }
  throw new BombyxError(
    "CHAIN_UNAVAILABLE",
    "The claim was sent and is not paid yet; look again with bombyx-node earnings.",
  );
}
