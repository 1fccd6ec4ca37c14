import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { Address } from "@ton/core";
import { channelMessages } from "../../src/client-channel/client-channel.ts";
import { packAccountLeaf } from "../../src/merkle/leaf.ts";
import { type LeafAt, SumTree } from "../../src/merkle/sum-tree.ts";
import { Registry } from "../../src/registry/registry.ts";
import { vaultMessages } from "../../src/vault/messages.ts";
import { Vault } from "../../src/vault/vault.ts";
import { gasOf } from "../chain.ts";
import { compileAll } from "../codes.ts";
import { mainnet, type PriceSet, priceSets } from "../prices.ts";
import { type Codes, gram, hour, keyOf, World } from "../world.ts";

/** What an operation costs, wallet's transaction included. */
export interface Cost {
  /** Gas of each transaction in order of arrival, the wallet's first. */
  readonly gas: readonly number[];
  /** All fees of the chain of transactions, in nano. */
  readonly feeNano: number;
}

export type CostTable = Record<PriceSet, Record<string, Cost>>;

export const nodeCounts = [1, 100, 10_000, 1_000_000] as const;

async function costOf(w: World, act: () => Promise<unknown>): Promise<Cost> {
  const before = w.chain.feesNano;
  w.chain.transactions = [];
  await act();
  return { gas: w.chain.transactions.map(gasOf), feeNano: Number(w.chain.feesNano - before) };
}

/** Sums of a real tree of this depth, where each of `nodes` earned about a gram; only two places are looked at. */
function treeOf(w: World, nodes: number, leaves: readonly LeafAt[]): SumTree {
  const filler = w.leafOf(w.node("filler"), gram(1));
  const all = Array.from({ length: nodes }, (_, index) => leaves[index] ?? filler);
  return new SumTree({ globalId: mainnet, vault: w.vault.address }, all);
}

/** What a deployment's empty messages cost where they arrive. */
async function deployCosts(codes: Codes, prices: PriceSet): Promise<Record<string, Cost>> {
  const w = await World.fresh(codes, prices);
  const terms = { ...w.terms, salt: 8n };
  const parts = {
    vault: Vault.fromTerms(terms, codes.vault, codes),
    registry: Registry.fromTerms(
      { ...terms, releaseKeys: [w.owner, w.guardian, w.client] as const },
      codes.registry,
    ),
  };
  const costs: Record<string, Cost> = {};
  for (const [name, part] of Object.entries(parts))
    costs[`deploy a ${name}`] = await costOf(w, () => w.deploy(part, gram(1)));
  return costs;
}

async function channelCosts(codes: Codes, prices: PriceSet): Promise<Record<string, Cost>> {
  const w = await World.fresh(codes, prices);
  const channel = w.channel();
  const costs: Record<string, Cost> = {};
  costs["open and fund a channel"] = await costOf(w, () => w.open(channel));
  costs["redeem a voucher"] = await costOf(w, () => w.redeem(channel, gram(1)));
  costs["top up"] = await costOf(w, () => w.send(w.client, { to: channel.contract.address, value: gram(1) }));
  const rotate = channelMessages.setKey(keyOf("next").publicKey);
  costs["rotate the voucher key"] = await costOf(w, () => w.toChannel(w.client, channel, rotate));
  costs["redeem by the key before"] = await costOf(w, () => w.redeem(channel, gram(2)));
  const snapshot = w.chain.snapshot();
  const together = channelMessages.closeTogether(w.approval(channel, gram(3)));
  costs["close together"] = await costOf(w, () => w.toChannel(w.client, channel, together));
  w.chain.restore(snapshot);
  costs["request closing"] = await costOf(w, () => w.toChannel(w.client, channel, channelMessages.close()));
  w.chain.now += 72 * hour;
  costs["withdraw the deposit"] = await costOf(w, () =>
    w.toChannel(w.client, channel, channelMessages.close()),
  );
  return costs;
}

async function nodeCosts(
  codes: Codes,
  prices: PriceSet,
  nodes: number,
  tag: string,
): Promise<Record<string, Cost>> {
  const w = await World.fresh(codes, prices);
  const funds = gram(2) * BigInt(nodes) + gram(100);
  w.chain.wallet("patron", funds * 2n);
  await w.toVault(w.chain.wallet("patron"), vaultMessages.sponsorDeposit(1n, funds), funds + gram(1));
  const [a, b] = [w.node("a"), w.node("b")];
  const costs: Record<string, Cost> = {};
  const leaf = (earned: number): LeafAt[] =>
    nodes === 1 ? [w.leafOf(a, gram(earned))] : [w.leafOf(a, gram(earned)), w.leafOf(b, gram(2))];
  const first = treeOf(w, nodes, leaf(3));
  costs[`commit the first epoch, ${tag}`] = await costOf(w, () => w.commit(first));
  w.chain.now += 24 * hour;
  costs[`first claim, ${tag}`] = await costOf(w, () => w.claim(a, w.leafCell(0)));
  const second = treeOf(w, nodes, leaf(5));
  costs[`commit an epoch, ${tag}`] = await costOf(w, () => w.commit(second, 2));
  w.chain.now += 24 * hour;
  costs[`claim, ${tag}`] = await costOf(w, () => w.claim(a, w.leafCell(0)));
  if (nodes > 1)
    costs[`claim by a stranger, ${tag}`] = await costOf(w, () => w.claim(b, w.leafCell(1), w.stranger));
  return costs;
}

async function disputeCosts(codes: Codes, prices: PriceSet): Promise<Record<string, Cost>> {
  const w = await World.fresh(codes, prices);
  await w.paidIn(gram(100));
  const tree = (a: number, b: number) =>
    w.treeOf([w.leafOf(w.node("a"), gram(a)), w.leafOf(w.node("b"), gram(b))], 20);
  const before = tree(3, 1);
  await w.finalize(before);
  const after = tree(2, 2);
  await w.commit(after, 2);
  const snapshot = w.chain.snapshot();
  const costs: Record<string, Cost> = {};
  const pending = packAccountLeaf(0, after.leaf(0), after.path(0));
  const byRoot = vaultMessages.dispute(
    { finalLeaf: packAccountLeaf(0, before.leaf(0), before.path(0)) },
    pending,
  );
  costs["dispute by the final root, 1,000,000 nodes"] = await costOf(w, () => w.toVault(w.stranger, byRoot));
  w.chain.restore(snapshot);
  const { cell, signature } = w.ack(w.node("a"), { cumulativeNano: gram(3), epoch: 2 });
  const byAck = vaultMessages.dispute({ ack: cell, signature }, pending);
  costs["dispute by an Ack, 1,000,000 nodes"] = await costOf(w, () => w.toVault(w.stranger, byAck));
  w.chain.restore(snapshot);
  costs.veto = await costOf(w, () => w.toVault(w.guardian, vaultMessages.veto(2)));
  w.chain.restore(snapshot);
  // What makes the pending root final pays for that.
  w.chain.now += 24 * hour;
  const payer = w.channel(w.client, 99n);
  costs["redeem that makes a root final"] = await costOf(w, () => w.redeem(payer, gram(100.5)));
  w.chain.restore(snapshot);
  await w.toChannel(w.client, payer, channelMessages.setKey(keyOf("next").publicKey));
  w.chain.now += 24 * hour;
  costs["redeem by the key before that makes a root final"] = await costOf(w, () =>
    w.redeem(payer, gram(100.5)),
  );
  w.chain.restore(snapshot);
  w.chain.now += 24 * hour;
  costs["claim by a stranger that makes a root final, 1,000,000 nodes"] = await costOf(w, async () => {
    await w.claim(w.node("a"), w.leafCell(0, after), w.stranger);
  });
  w.chain.restore(snapshot);
  w.chain.now += 24 * hour;
  const deposit = vaultMessages.sponsorDeposit(1n, gram(1));
  costs["deposit that makes a root final"] = await costOf(w, () => w.toVault(w.stranger, deposit, gram(1.5)));
  w.chain.restore(snapshot);
  const refused = w.leafCell(0, after);
  costs["refused claim, 1,000,000 nodes"] = await costOf(w, () => w.claim(w.node("a"), refused, w.stranger));
  w.chain.restore(snapshot);
  const announce = vaultMessages.announce({ withdrawalNano: gram(1), owner: w.owner, guardian: w.guardian });
  costs["announce a withdrawal"] = await costOf(w, () => w.toVault(w.owner, announce));
  w.chain.now += 48 * hour;
  costs.withdraw = await costOf(w, () => w.toVault(w.owner, vaultMessages.applyAnnounced()));
  return costs;
}

/** Rent of one year in nano: what a vault, an account and a channel lose when nothing happens. */
async function rents(codes: Codes, prices: PriceSet): Promise<Record<string, Cost>> {
  const w = await World.fresh(codes, prices);
  await w.paidIn(gram(100));
  const channel = await w.open();
  const a = w.node("a");
  await w.finalize(w.treeOf([w.leafOf(a, gram(3))]));
  await w.claim(a, w.leafCell(0));
  await w.commit(w.treeOf([w.leafOf(a, gram(4))]), 2);
  const costs: Record<string, Cost> = {};
  const parts = {
    vault: w.vault.address,
    "node account": a.account.address,
    channel: channel.contract.address,
  };
  for (const [name, address] of Object.entries(parts)) {
    await w.send(w.stranger, { to: address, value: gram(0.1) });
    w.chain.now += 365 * 24 * hour;
    const [, arrived] = await w.send(w.stranger, { to: address, value: gram(0.1) });
    const { description } = arrived as NonNullable<typeof arrived>;
    const fee = description.type === "generic" ? (description.storagePhase?.storageFeesCollected ?? 0n) : 0n;
    costs[`rent of a ${name} for a year`] = { gas: [], feeNano: Number(fee) };
  }
  return costs;
}

/** Every operation at both price sets, for 1 to `nodes` nodes. */
export async function costTable(codes: Codes, largest = 1_000_000): Promise<CostTable> {
  const table = { today: {}, before2026: {} } as CostTable;
  for (const prices of priceSets) {
    const byNodes: Record<string, Cost> = {};
    for (const nodes of nodeCounts.filter((count) => count <= largest)) {
      const tag = nodes === 1 ? "1 node" : `${nodes.toLocaleString("en")} nodes`;
      Object.assign(byNodes, await nodeCosts(codes, prices, nodes, tag));
    }
    table[prices] = {
      ...(await deployCosts(codes, prices)),
      ...(await channelCosts(codes, prices)),
      ...byNodes,
      ...(await disputeCosts(codes, prices)),
      ...(await rents(codes, prices)),
    };
  }
  return table;
}

/** Most that an operation may cost at today's prices, in nano. */
export const limits: Record<string, number> = {
  "open and fund a channel": 1_300_000,
  "redeem a voucher": 1_500_000,
  "redeem by the key before that makes a root final": 1_500_000,
  "commit an epoch, 1 node": 1_000_000,
  "commit an epoch, 100 nodes": 1_000_000,
  "commit an epoch, 1,000,000 nodes": 1_000_000,
  "claim, 100 nodes": 2_500_000,
  "claim, 1,000,000 nodes": 4_500_000,
  "dispute by the final root, 1,000,000 nodes": 20_000_000,
  "dispute by an Ack, 1,000,000 nodes": 20_000_000,
  "rent of a vault for a year": 3_000_000,
};

/** Tree and proof of a million leaves: seconds, GB, milliseconds. */
export function measureTree(): { treeSeconds: number; residentGb: number; proofMs: number } {
  const account = new Address(0, Buffer.alloc(32, 9));
  const leaves: LeafAt[] = Array.from({ length: 1_000_000 }, (_, at) => ({
    account,
    earned: BigInt(at) * 1_000_003n,
    units: BigInt(at),
  }));
  const start = performance.now();
  const tree = new SumTree({ globalId: mainnet, vault: account }, leaves);
  const treeSeconds = (performance.now() - start) / 1000;
  const residentGb = process.memoryUsage().rss / 1e9;
  const before = performance.now();
  for (let at = 0; at < 1000; at++) tree.path((at * 997) % 1_000_000);
  return { treeSeconds, residentGb, proofMs: (performance.now() - before) / 1000 };
}

if (import.meta.main && process.argv.includes("--snapshot")) {
  const path = fileURLToPath(new URL("../snapshots/gas.json", import.meta.url));
  writeFileSync(path, JSON.stringify(await costTable(await compileAll(), 100), null, 2));
  execFileSync("npx", ["biome", "format", "--write", path]);
} else if (import.meta.main) {
  const table = await costTable(await compileAll());
  const over = Object.entries(limits).filter(
    ([name, most]) => (table.today[name]?.feeNano ?? Infinity) > most,
  );
  if (!process.argv.includes("--json")) {
    for (const [name, { gas, feeNano }] of Object.entries(table.today)) {
      process.stdout.write(`${(feeNano / 1e9).toFixed(6).padStart(10)} GRAM  ${name}  (${gas.join(" ")})\n`);
    }
  }
  const result = { ...table, tree: measureTree(), over: over.map(([name]) => name) };
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exitCode = over.length === 0 ? 0 : 1;
}
