import { createHash } from "node:crypto";
import { verifyClientLeaf } from "@bombyx/contracts/client-tree";
import { foldPath } from "@bombyx/contracts/leaf";
import { Address } from "@ton/core";
import { describe, expect, it } from "vitest";
import { clientName, EpochTree, rootJson, rootOf, sameRoot } from "./epoch-tree.ts";

const address = (byte: number) => new Address(0, Buffer.alloc(32, byte));
const domain = { globalId: -3, vault: address(1) };
const earned = (byte: number, nano: bigint) => ({ account: address(byte), earned: nano, units: nano / 20n });
const salt = (byte: number) => Buffer.alloc(32, byte);
const client = (name: string, byte: number, amount: bigint) => ({
  salt: salt(byte),
  account: Buffer.from(clientName(name), "hex"),
  amount,
});

const tree = (depth = 0) =>
  new EpochTree(domain, {
    epoch: 4,
    leaves: [earned(2, 2_000n), undefined, earned(3, 500n)],
    clients: [client("developer:acme", 7, 2_000n), client("person:1:2", 8, 777n)],
    units: 125n,
    requests: 9n,
    depth,
  });

it("says what all nodes earned together, and the hash of the published file", () => {
  const { root, leafFile } = tree();
  expect(root).toMatchObject({ epoch: 4, depth: 2, committedNano: 2_500n, units: 125n, requests: 9n });
  expect(Buffer.from(root.leavesHash).toString("hex")).toBe(
    createHash("sha256").update(leafFile).digest("hex"),
  );
  expect(leafFile.toString().trim().split("\n")).toHaveLength(2);
  expect(leafFile.toString()).not.toContain(salt(7).toString("hex"));
});

it("is never less deep than the root before it", () => {
  expect(tree(5).root.depth).toBe(5);
  expect(tree(1).root.depth).toBe(2);
});

it("proves each node's leaf, and has none for a node that cannot be paid", () => {
  const made = tree();
  for (const [index, account, nano] of [
    [0, address(2), 2_000n],
    [2, address(3), 500n],
  ] as const) {
    const proof = made.nodeProof(index);
    const path = proof?.path.map(({ sum, hash }) => ({ sum: BigInt(sum), hash: Buffer.from(hash, "hex") }));
    const leaf = { index, account, earned: nano, units: nano / 20n };
    const { root, total } = foldPath(domain, index, leaf, path ?? []);
    expect(Buffer.from(root)).toEqual(Buffer.from(made.root.root));
    expect(total).toBe(2_500n);
  }
  expect(made.nodeProof(1)).toBeUndefined();
  expect(made.nodeProof(3)).toBeUndefined();
});

it("proves each account's own line and no other's", () => {
  const made = tree();
  const proof = made.clientProof(clientName("person:1:2"));
  const bytes = (hex: string) => Buffer.from(hex, "hex");
  const holds = (amount: bigint) =>
    verifyClientLeaf(
      made.root.clientRoot,
      {
        salt: bytes(proof?.leaf.salt ?? ""),
        account: bytes(proof?.leaf.account ?? ""),
        amount,
      },
      proof?.leaf.index ?? -1,
      proof?.path.map(bytes) ?? [],
    );
  expect(holds(777n)).toBe(true);
  expect(holds(778n)).toBe(false);
  expect(JSON.stringify(proof)).not.toContain(salt(7).toString("hex"));
  expect(made.clientProof(clientName("person:1:3"))).toBeUndefined();
});

describe("read from its files", () => {
  const { leafFile, clientFile, rootJson: root } = tree();

  it("is the same tree", () => {
    const again = EpochTree.fromFiles(domain, root, leafFile, clientFile);
    expect(again.rootJson).toEqual(root);
    expect(again.nodeProof(2)).toEqual(tree().nodeProof(2));
    expect(again.clientProof(clientName("developer:acme"))).toEqual(
      tree().clientProof(clientName("developer:acme")),
    );
  });

  it.each([
    ["an amount of a node", leafFile.toString().replace('"2000"', '"2001"'), clientFile.toString()],
    ["a node that is left out", leafFile.toString().split("\n").slice(1).join("\n"), clientFile.toString()],
    ["an amount of a client", leafFile.toString(), clientFile.toString().replace('"777"', '"778"')],
    ["the order of the clients", leafFile.toString(), clientFile.toString().split("\n").reverse().join("\n")],
  ])("is refused when somebody changed %s", (_, leaves, clients) => {
    expect(() => EpochTree.fromFiles(domain, root, Buffer.from(leaves), Buffer.from(clients))).toThrow(
      /not those that its root was made of/,
    );
  });
});

it("tells one root from another by every field", () => {
  const { root } = tree();
  const json = rootJson(root);
  expect(sameRoot(json, rootJson(rootOf(json)))).toBe(true);
  const changes = [
    { epoch: 5 },
    { depth: 3 },
    { root: "00".repeat(32) },
    { committedNano: "1" },
    { units: "1" },
    { requests: "1" },
    { leavesHash: "00".repeat(32) },
    { clientRoot: "00".repeat(32) },
  ];
  for (const change of changes)
    expect(sameRoot(json, { ...json, ...change }), JSON.stringify(change)).toBe(false);
});
