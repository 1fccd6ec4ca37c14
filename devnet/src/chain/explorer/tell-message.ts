import { channelOps } from "@bombyx/contracts/client-channel";
import { nodeAccountOps } from "@bombyx/contracts/node-account";
import { registrySlots } from "@bombyx/contracts/registry";
import { unpackEpochRoot, vaultOps } from "@bombyx/contracts/vault-messages";
import type { Message, Slice } from "@ton/core";
import { gram } from "./gram.ts";
import type { Told } from "./report.ts";

type Facts = Told["facts"];
interface Schema {
  readonly title: string | ((facts: Facts) => string);
  readonly read?: (body: Slice) => Facts;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const hash = (value: bigint): string => value.toString(16).padStart(64, "0");
const slot = (value: number): string =>
  Object.entries(registrySlots).find(([, number]) => number === value)?.[0] ?? String(value);
const amount = (body: Slice): Facts => [["amount", gram(body.loadCoins())]];
const value = (body: Slice): Facts => [["value", hash(body.loadUintBig(256))]];
const entry = (body: Slice): Facts => [["entry", slot(body.loadUint(8))]];
const withFirst = (words: string) => (facts: Facts) => `${words} ${facts[0]?.[1] ?? ""}`;

/** Every message of the four contracts by its opcode; after each follows a query id. */
const schemas: Readonly<Record<number, Schema>> = {
  [channelOps.setKey]: {
    title: "Opens the channel, or changes its voucher key",
    read: (body) => [["voucher key", hash(body.loadUintBig(256))]],
  },
  [channelOps.redeem]: {
    title: withFirst("Redeems a voucher for a total of"),
    read: (body) => [["total", gram(body.loadCoins())]],
  },
  [channelOps.close]: { title: "Asks to close the channel, or withdraws" },
  [channelOps.closeTogether]: { title: "Closes the channel at once, with the operator's approval" },
  [vaultOps.channelPayment]: { title: withFirst("Pays the vault"), read: amount },
  [vaultOps.closingConfirmed]: { title: "Confirms that the channel is closed" },
  [vaultOps.sponsorDeposit]: {
    title: (facts) => `Deposits ${facts[1]?.[1]} as a sponsor`,
    read: (body) => [["sponsor", hash(body.loadUintBig(256))], ...amount(body)],
  },
  [vaultOps.commitEpoch]: {
    title: withFirst("Commits epoch"),
    read: (body) => {
      const root = unpackEpochRoot(body.loadRef());
      return [
        ["epoch", String(root.epoch)],
        ["to nodes so far", gram(root.committedNano)],
        ["units so far", String(root.units)],
        ["requests so far", String(root.requests)],
        ["root", hex(root.root)],
        ["leaves file", hex(root.leavesHash)],
        ["clients' root", hex(root.clientRoot)],
      ];
    },
  },
  [vaultOps.veto]: {
    title: withFirst("Vetoes epoch"),
    read: (body) => [["epoch", String(body.loadUint(32))]],
  },
  [vaultOps.dispute]: {
    title: "Disputes the pending root",
    read: (body) => [["evidence", body.loadBit() ? "an Ack above the leaf" : "the final root's leaf"]],
  },
  [vaultOps.payout]: { title: withFirst("Pays out"), read: amount },
  [vaultOps.rotateHotKeys]: { title: "Replaces commit and ack key" },
  [vaultOps.announce]: { title: withFirst("Announces to withdraw"), read: amount },
  [vaultOps.applyAnnounced]: { title: "Does what was announced" },
  [vaultOps.excesses]: { title: "Returns what was left" },
  [nodeAccountOps.claim]: {
    title: (facts) => `Claims: leaf ${facts[0]?.[1]} earned ${facts[1]?.[1]} so far`,
    read: (body) => {
      const leaf = body.loadRef().beginParse();
      return [
        ["leaf", String(leaf.loadUintBig(64))],
        ["earned so far", gram(leaf.loadCoins())],
        ["units so far", String(leaf.loadUintBig(64))],
      ];
    },
  },
  [nodeAccountOps.claimStep]: {
    title: withFirst("Asks the vault for"),
    read: (body) => [
      ["amount", gram(body.loadCoins())],
      ["node", hash(body.loadUintBig(256))],
    ],
  },
  2952791041: { title: withFirst("Proposes"), read: (body) => [...entry(body), ...value(body)] },
  2952791042: { title: "Approves a release", read: value },
  2952791043: { title: withFirst("Activates"), read: (body) => [...entry(body), ...value(body)] },
  2952791044: { title: withFirst("Takes back"), read: entry },
  2952791045: { title: "Denies", read: value },
  2952791046: {
    title: withFirst("Raises the least version to"),
    read: (body) => [["version", String(body.loadUint(32))]],
  },
  2952791047: { title: "Pauses the network" },
};

/** A message in words; one that is none of ours by its opcode. */
export function tellMessage({ info, body, init }: Message): Told {
  if (info.type === "external-in") return { title: "Order signed by the wallet's key", facts: [] };
  const slice = body.beginParse();
  const bounced = info.type === "internal" && info.bounced;
  if (bounced && slice.remainingBits >= 32 && slice.preloadUint(32) === 0xffffffff) slice.skip(32);
  const told = tellBody(slice);
  const facts: Facts = init ? [...told.facts, ["brings", "the account's code"]] : told.facts;
  if (init && body.bits.length === 0) return { title: "Deploys", facts };
  return { title: bounced ? `Comes back: ${lowerFirst(told.title)}` : told.title, facts };
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

function tellBody(body: Slice): Told {
  if (body.remainingBits < 32) return { title: "Transfer", facts: [] };
  const op = body.loadUint(32);
  if (op === 0) return { title: "Transfer with a comment", facts: [["comment", commentOf(body)]] };
  const schema = schemas[op];
  const code: Facts[number] = ["opcode", `0x${op.toString(16).padStart(8, "0")}`];
  if (!schema) return { title: "Unknown message", facts: [code] };
  const { title } = schema;
  try {
    if (body.remainingBits >= 64) body.skip(64);
    const facts = schema.read?.(body) ?? [];
    return { title: typeof title === "string" ? title : title(facts), facts: [...facts, code] };
  } catch {
    // A bounce carries 256 bits of what was sent, and a hostile sender anything.
    const words = typeof title === "string" ? title : title([]).replace(/undefined/g, "…");
    return { title: words.trim(), facts: [["body", "cut off, or not as its opcode asks"], code] };
  }
}

function commentOf(body: Slice): string {
  try {
    return body.loadStringTail().slice(0, 500);
  } catch {
    return "…";
  }
}
