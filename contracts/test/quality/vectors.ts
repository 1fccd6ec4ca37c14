import { Address } from "@ton/core";
import { ClientTree } from "../../src/merkle/client-tree.ts";
import { emptyLeafHash, packLeaf } from "../../src/merkle/leaf.ts";
import { type LeafAt, SumTree } from "../../src/merkle/sum-tree.ts";
import { mainnet } from "../prices.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const fill = (byte: number): Buffer => Buffer.alloc(32, byte);

/** Published so that another implementation of the trees can check itself; `npm test` compares. */
export function vectors(): unknown {
  const domain = { globalId: mainnet, vault: new Address(0, fill(0x11)) };
  const leaves: LeafAt[] = [
    { account: new Address(0, fill(0xa1)), earned: 60_000_000_000n, units: 1_235n },
    { account: new Address(0, fill(0xa2)), earned: 0n, units: 0n },
    undefined,
    { account: new Address(0, fill(0xa3)), earned: (1n << 119n) + 7n, units: (1n << 64n) - 1n },
    { account: new Address(0, fill(0xa4)), earned: 1n, units: 1n },
  ];
  const clients = [1, 2, 3].map((at) => ({
    salt: fill(at),
    account: fill(0xc0 + at),
    amount: BigInt(at) * 24_700n,
  }));
  const clientTree = new ClientTree(clients);
  return {
    emptyLeaf: hex(emptyLeafHash),
    sumTrees: [1, 2, 5].map((count) => {
      const tree = new SumTree(domain, leaves.slice(0, count));
      return {
        globalId: domain.globalId,
        vault: domain.vault.toRawString(),
        leaves: leaves
          .slice(0, count)
          .map((leaf) =>
            leaf === undefined
              ? null
              : { account: leaf.account.toRawString(), earned: `${leaf.earned}`, units: `${leaf.units}` },
          ),
        depth: tree.depth,
        root: hex(tree.root),
        total: `${tree.total}`,
        proofs: Array.from({ length: 2 ** tree.depth }, (_, index) => {
          const leaf = tree.leaf(index);
          return {
            index,
            path: tree.path(index).map(({ sum, hash }) => ({ sum: `${sum}`, hash: hex(hash) })),
            ...(leaf !== undefined && { cell: packLeaf(leaf, tree.path(index)).toBoc().toString("base64") }),
          };
        }),
      };
    }),
    clientTree: {
      leaves: clients.map(({ salt, account, amount }) => ({
        salt: hex(salt),
        account: hex(account),
        amount: `${amount}`,
      })),
      root: hex(clientTree.root),
      paths: clients.map((_, at) => clientTree.path(at).map(hex)),
    },
  };
}
