import { hash } from "node:crypto";
import { type ClientLeaf, ClientTree } from "@bombyx/contracts/client-tree";
import { type LeafAt, SumTree } from "@bombyx/contracts/sum-tree";
import type { EpochRoot } from "@bombyx/contracts/vault-messages";
import {
  type ClientProofJson,
  type EpochRootJson,
  type NodeProofJson,
  publishedLeafSchema,
} from "@bombyx/protocol/wire";
import type { Address } from "@ton/core";
import * as z from "zod";
import { basechainAddress } from "../chain/address.ts";

export interface TreeDomain {
  readonly globalId: number;
  readonly vault: Address;
}

/** What an epoch says, before it has a root. */
export interface EpochContent {
  readonly epoch: number;
  /** By index; `undefined` is a node that cannot be paid. */
  readonly leaves: readonly LeafAt[];
  readonly clients: readonly ClientLeaf[];
  readonly units: bigint;
  readonly requests: bigint;
  /** Least depth of the tree: that of the last final root. */
  readonly depth: number;
}

const clientLineSchema = z.strictObject({
  salt: z.string().length(64),
  account: z.string().length(64),
  amountNano: z.string(),
});

/** Both trees of one epoch, with the file that is published and the one that is not. */
export class EpochTree {
  readonly root: EpochRoot;
  /** JSON lines of `publishedLeafSchema`; its SHA-256 is in the root. */
  readonly leafFile: Buffer;
  /** JSON lines with the clients' salts: whoever has them reads everybody's usage. */
  readonly clientFile: Buffer;
  readonly #sums: SumTree;
  readonly #clients: ClientTree;
  readonly #clientLeaves: readonly ClientLeaf[];
  readonly #clientIndex: ReadonlyMap<string, number>;

  constructor(domain: TreeDomain, content: EpochContent) {
    const { leaves, clients } = content;
    const natural = Math.ceil(Math.log2(Math.max(1, leaves.length)));
    this.#sums = new SumTree(domain, leaves, Math.max(natural, content.depth));
    this.#clients = new ClientTree(clients);
    this.#clientLeaves = clients;
    this.#clientIndex = new Map(clients.map(({ account }, at) => [hexOf(account), at]));
    this.leafFile = linesOf(leaves.flatMap(publishedLeaf));
    this.clientFile = linesOf(
      clients.map(({ salt, account, amount }) => ({
        salt: hexOf(salt),
        account: hexOf(account),
        amountNano: String(amount),
      })),
    );
    this.root = {
      epoch: content.epoch,
      depth: this.#sums.depth,
      root: this.#sums.root,
      committedNano: this.#sums.total,
      units: content.units,
      requests: content.requests,
      leavesHash: hash("sha256", this.leafFile, "buffer"),
      clientRoot: this.#clients.root,
    };
  }

  /** @throws Error when the files are not those that the root was made of */
  static fromFiles(domain: TreeDomain, root: EpochRootJson, leafFile: Buffer, clientFile: Buffer): EpochTree {
    const leaves: LeafAt[] = [];
    for (const line of readLines(leafFile)) {
      const { index, account, earnedNano, units } = publishedLeafSchema.parse(line);
      while (leaves.length < index) leaves.push(undefined);
      leaves.push({
        account: basechainAddress(account),
        earned: BigInt(earnedNano),
        units: BigInt(units),
      });
    }
    const clients = readLines(clientFile).map((line): ClientLeaf => {
      const { salt, account, amountNano } = clientLineSchema.parse(line);
      return { salt: bytesOf(salt), account: bytesOf(account), amount: BigInt(amountNano) };
    });
    const tree = new EpochTree(domain, {
      epoch: root.epoch,
      leaves,
      clients,
      units: BigInt(root.units),
      requests: BigInt(root.requests),
      depth: root.depth,
    });
    if (!sameRoot(rootJson(tree.root), root)) {
      throw new Error(`the files of epoch ${root.epoch} are not those that its root was made of`);
    }
    return tree;
  }

  get rootJson(): EpochRootJson {
    return rootJson(this.root);
  }

  /** What a leaf at an index earned; 0 where there is none. */
  earnedNano(index: number): bigint {
    return this.#sums.leaf(index)?.earned ?? 0n;
  }

  /** @returns `undefined` when nobody can be paid at this index */
  nodeProof(index: number): NodeProofJson | undefined {
    const leaf = this.#sums.leaf(index);
    if (leaf === undefined) return undefined;
    return {
      root: this.rootJson,
      leaf: { index, earnedNano: String(leaf.earned), units: String(leaf.units) },
      path: this.#sums.path(index).map((sibling) => ({
        sum: String(sibling.sum),
        hash: hexOf(sibling.hash),
      })),
    };
  }

  /** @param account 32 bytes as hex, see `clientName` */
  clientProof(account: string): ClientProofJson | undefined {
    const index = this.#clientIndex.get(account);
    const leaf = index === undefined ? undefined : this.#clientLeaves[index];
    if (index === undefined || leaf === undefined) return undefined;
    return {
      root: this.rootJson,
      leaf: { index, salt: hexOf(leaf.salt), account, amountNano: String(leaf.amount) },
      path: this.#clients.path(index).map(hexOf),
    };
  }
}

/** The 32 bytes that name a ledger account in the clients' tree, as hex. */
export const clientName = (account: string): string =>
  hash("sha256", Buffer.from(`bombyx/client/v1\0${account}`), "hex");

export const rootJson = (root: EpochRoot): EpochRootJson => ({
  epoch: root.epoch,
  depth: root.depth,
  root: hexOf(root.root),
  committedNano: String(root.committedNano),
  units: String(root.units),
  requests: String(root.requests),
  leavesHash: hexOf(root.leavesHash),
  clientRoot: hexOf(root.clientRoot),
});

export const rootOf = (root: EpochRootJson): EpochRoot => ({
  epoch: root.epoch,
  depth: root.depth,
  root: bytesOf(root.root),
  committedNano: BigInt(root.committedNano),
  units: BigInt(root.units),
  requests: BigInt(root.requests),
  leavesHash: bytesOf(root.leavesHash),
  clientRoot: bytesOf(root.clientRoot),
});

export const sameRoot = (one: EpochRootJson, other: EpochRootJson): boolean =>
  one.epoch === other.epoch &&
  one.depth === other.depth &&
  one.root === other.root &&
  one.committedNano === other.committedNano &&
  one.units === other.units &&
  one.requests === other.requests &&
  one.leavesHash === other.leavesHash &&
  one.clientRoot === other.clientRoot;

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytesOf = (hex: string): Buffer => Buffer.from(hex, "hex");

const publishedLeaf = (leaf: LeafAt, index: number) =>
  leaf === undefined
    ? []
    : [
        {
          index,
          account: leaf.account.hash.toString("hex"),
          earnedNano: String(leaf.earned),
          units: String(leaf.units),
        },
      ];

const linesOf = (lines: readonly object[]): Buffer =>
  Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));

const readLines = (file: Buffer): unknown[] =>
  file
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line): unknown => JSON.parse(line));
