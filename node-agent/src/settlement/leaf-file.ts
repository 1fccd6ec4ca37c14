import { createHash } from "node:crypto";
import type { TreeDomain } from "@bombyx/contracts/leaf";
import { type LeafAt, SumTree } from "@bombyx/contracts/sum-tree";
import type { EpochRoot } from "@bombyx/contracts/vault-messages";
import { BombyxError, publishedLeafSchema } from "@bombyx/protocol/wire";
import { Address } from "@ton/core";
import type { Shown } from "./judge-root.ts";

/** A million leaves have 250 MB; a file beyond that is no leaf file. */
const largestBytes = 400 * 1024 * 1024;
const withinMs = 60_000;

/**
 * What the published file of an epoch's leaves shows at `index`. The file is hostile until its hash and its tree's root
 * are those of the chain.
 * @throws BombyxError GATEWAY_UNREACHABLE when it cannot be had, BAD_REQUEST when it is not the file of this root
 */
export async function fetchShown(
  gateway: string,
  domain: TreeDomain,
  root: EpochRoot,
  index: number,
  request: typeof fetch,
): Promise<Shown> {
  if (index >= 2 ** root.depth) return { at: "beyond" };
  const tree = leafTree(domain, root, await fetchLeaves(gateway, root.epoch, request));
  const leaf = tree.leaf(index);
  return { at: leaf ? "leaf" : "empty", leaf, path: tree.path(index) };
}

async function fetchLeaves(gateway: string, epoch: number, request: typeof fetch): Promise<Uint8Array> {
  const base = gateway.endsWith("/") ? gateway : `${gateway}/`;
  const url = new URL(`v1/settlement/epochs/${epoch}/leaves`, base);
  try {
    const response = await request(url, { signal: AbortSignal.timeout(withinMs), redirect: "error" });
    if (!response.ok || !response.body) throw new Error(`the answer is ${response.status}`);
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of response.body) {
      length += part.length;
      if (length > largestBytes) throw new Error(`the file has more than ${largestBytes} bytes`);
      parts.push(part);
    }
    return Buffer.concat(parts);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BombyxError(
      "GATEWAY_UNREACHABLE",
      `The gateway does not give the leaves of epoch ${epoch}: ${why}.`,
      { cause },
    );
  }
}

/** The tree of a published file. @throws BombyxError BAD_REQUEST when hash, lines or root are not the chain's. */
export function leafTree(domain: TreeDomain, root: EpochRoot, file: Uint8Array): SumTree {
  const wrong = (what: string, cause?: unknown) =>
    new BombyxError(
      "BAD_REQUEST",
      `The published leaves of epoch ${root.epoch} are not those of the chain: ${what}.`,
      {
        cause,
      },
    );
  if (!createHash("sha256").update(file).digest().equals(Buffer.from(root.leavesHash)))
    throw wrong("their SHA-256 is another");
  const leaves: LeafAt[] = [];
  try {
    for (const line of Buffer.from(file).toString("utf8").split("\n")) {
      if (line === "") continue;
      const { index, account, earnedNano, units } = publishedLeafSchema.parse(JSON.parse(line));
      if (index >= 2 ** root.depth || index < leaves.length)
        throw new Error(`the line of index ${index} is out of order`);
      while (leaves.length < index) leaves.push(undefined);
      leaves.push({
        account: new Address(0, Buffer.from(account, "hex")),
        earned: BigInt(earnedNano),
        units: BigInt(units),
      });
    }
    const tree = new SumTree(domain, leaves, root.depth);
    if (!Buffer.from(tree.root).equals(root.root)) throw new Error("their root is another");
    return tree;
  } catch (cause) {
    throw wrong(cause instanceof Error ? cause.message : String(cause), cause);
  }
}
