import { createHash, randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type LeafAt, SumTree } from "@bombyx/contracts/sum-tree";
import { vaultMessages, vaultOps } from "@bombyx/contracts/vault-messages";
import { runCli } from "@bombyx/node-agent";
import { Address, internal, SendMode } from "@ton/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import * as z from "zod";
import { globalId } from "../src/chain/chain-server.ts";
import { gram } from "./local-ton.ts";
import { type SettledNetwork, startSettledNetwork } from "./settled-network.ts";
import "./patience.ts";

const hour = 3_600_000;
const patience = { timeout: 60_000, interval: 200 };
let network: SettledNetwork;
beforeAll(async () => {
  // The gateway commits once and then leaves the chain to the test.
  network = await startSettledNetwork({ nodes: 1, pace: 0, epochMs: hour });
});
afterAll(() => network[Symbol.asyncDispose]());

const vault = () => network.client.open(network.settled.settlement.vault).getVault();
const state = () => network.state.path("nodes", "alder");

/** The owner's commands on the state folder of the node that runs. */
async function owner(...argv: string[]) {
  let out = "";
  let error = "";
  const status = await runCli([...argv, "--state", state()], {
    environment: {},
    chain: { name: "devnet", endpoints: network.policy.chainEndpoints },
    stdout: {
      write: (text) => {
        out += text;
      },
    },
    stderr: {
      write: (text) => {
        error += text;
      },
    },
  });
  return { status, out, error };
}

const earningsSchema = z.object({
  requests: z.number(),
  earnedNano: z.string(),
  finalNano: z.string(),
  paidNano: z.string().nullable(),
  dueNano: z.string().nullable(),
  disputeWallet: z.object({ address: z.string() }),
});
const earnings = async () => earningsSchema.parse(JSON.parse((await owner("earnings", "--json")).out));

async function ask(): Promise<number> {
  const { status } = await fetch(`${network.proxy.url}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${network.apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({
      model: "spark",
      max_tokens: 16,
      messages: [{ role: "user", content: "What is the capital of France?" }],
    }),
  });
  return status;
}

/** The operator turned thief: a root of the next epoch that gives the node's earnings to somebody else. */
async function commitTheft(): Promise<void> {
  const { finalRoot } = await vault();
  if (!finalRoot) throw new Error("nothing is final");
  const { settlement } = network.settled;
  const thief: LeafAt = {
    account: new Address(0, randomBytes(32)),
    earned: finalRoot.committedNano,
    units: finalRoot.units,
  };
  const epoch = finalRoot.epoch + 1;
  const tree = new SumTree({ globalId, vault: settlement.vault.address }, [thief], finalRoot.depth);
  const file = Buffer.from(
    `${JSON.stringify({ index: 0, account: thief.account.hash.toString("hex"), earnedNano: `${thief.earned}`, units: `${thief.units}` })}\n`,
  );
  await writeFile(join(network.gatewayData, "epochs", `${epoch}.leaves.jsonl`), file);
  const { wallet, keys } = settlement.operator.committer;
  const opened = network.client.open(wallet);
  await opened.sendTransfer({
    seqno: await opened.getSeqno(),
    secretKey: keys.secretKey,
    sendMode: SendMode.PAY_GAS_SEPARATELY,
    messages: [
      internal({
        to: settlement.vault.address,
        value: gram(0.1),
        body: vaultMessages.commitEpoch({
          ...finalRoot,
          epoch,
          root: tree.root,
          leavesHash: createHash("sha256").update(file).digest(),
        }),
      }),
    ],
  });
  await network.chainOfMoney.settled();
}

it("a node's own process stops an operator who turns thief, and its owner is paid when operator and node are gone", async () => {
  const { chainOfMoney, client, settled } = network;
  const wallet = settled.owners.get("alder")?.wallet.address;
  if (!wallet) throw new Error("alder has no owner");

  // The honest twin first: what the node earned becomes final, and the node has its proof.
  expect(await ask()).toBe(200);
  await expect.poll(async () => (await vault()).pendingRoot?.epoch, patience).toBe(1);
  await chainOfMoney.advance(24 * hour);
  await expect.poll(async () => (await earnings()).finalNano, patience).not.toBe("0");
  const { finalNano, disputeWallet } = await earnings();
  expect(await ask()).toBe(200);
  await expect.poll(async () => (await earnings()).requests, patience).toBe(2);

  // Then the theft; nobody but the node is awake.
  const purse = Address.parse(disputeWallet.address);
  await chainOfMoney.faucet(purse, gram(0.3));
  await commitTheft();
  await expect.poll(async () => (await vault()).pendingRoot, patience).toBeUndefined();
  expect(await vault()).toMatchObject({ lastEpoch: 2, finalRoot: { epoch: 1 } });
  const disputes = (await client.getTransactions(settled.settlement.vault.address, { limit: 10 })).flatMap(
    ({ inMessage }) =>
      inMessage?.info.type === "internal" ? [{ from: inMessage.info.src, body: inMessage.body }] : [],
  );
  const dispute = disputes.find(({ body }) => body.beginParse().loadUint(32) === vaultOps.dispute);
  expect(dispute?.from.equals(purse)).toBe(true);

  // Everything that could answer for the money is killed; what the node kept is enough.
  const before = await earnings();
  await network.killGateway();
  await network.killNode(network.nodes[0]?.node ?? "");
  expect(await earnings()).toEqual(before);
  const acks = JSON.parse(await readFile(await acksFile(), "utf8"));
  expect(acks.last.ack).toMatchObject({ n: 2, cumulativeNano: before.earnedNano });

  const balance = chainOfMoney.balance(wallet);
  expect(await owner("claim", "--send")).toMatchObject({ status: 0, error: "" });
  expect(await earnings()).toMatchObject({ paidNano: finalNano, dueNano: "0" });
  // To the nano: whoever sends it pays for it.
  expect(chainOfMoney.balance(wallet) - balance).toBe(BigInt(finalNano));
  expect(await owner("claim", "--send")).toMatchObject({
    status: 1,
    error: expect.stringContaining("All that is final is paid already"),
  });
});

async function acksFile(): Promise<string> {
  const node = network.nodes[0]?.node ?? "";
  return join(state(), "settlement", node.slice(0, 16), "acks.json");
}
