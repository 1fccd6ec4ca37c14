import { equal, ok, throws } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Address, Cell } from "@ton/core";
import { beforeAll, describe, expect, it } from "vitest";
import { compiledModule, compileEach } from "../src/build.ts";
import { channelMessages } from "../src/client-channel/client-channel.ts";
import { compileContract, contractNames, readSource } from "../src/compile.ts";
import { codeOf, compiled } from "../src/compiled.ts";
import { footprints } from "../src/deploy/prices.ts";
import { ClientTree, verifyClientLeaf } from "../src/merkle/client-tree.ts";
import { foldPath, TreeError, unpackPath } from "../src/merkle/leaf.ts";
import { type LeafAt, SumTree } from "../src/merkle/sum-tree.ts";
import { refusals } from "../src/rules/refusal.ts";
import { vaultMessages } from "../src/vault/messages.ts";
import { compileAll } from "./codes.ts";
import { mainnet } from "./prices.ts";
import { fuzz, vacuous } from "./quality/fuzz.ts";
import { costTable, limits } from "./quality/gas.ts";
import { allMutants } from "./quality/mutants.ts";
import { judge, sampleOf } from "./quality/mutate.ts";
import { vectors } from "./quality/vectors.ts";
import { type Codes, gram, keyOf, World } from "./world.ts";

let codes: Codes;

beforeAll(async () => {
  codes = await compileAll();
}, 60_000);

const constant = (file: string, name: string): number =>
  Number(new RegExp(`const ${name} = (\\d+)`).exec(readSource(file))?.[1]);

describe("sources and what ships", () => {
  it("compiled.ts is exactly what the sources give", async () => {
    for (const [name, { hash, code }] of await compileEach()) {
      expect({ name, hash, boc: code.toBoc().toString("base64") }).toEqual({ name, ...compiled[name] });
      equal(codeOf(name).hash().toString("hex"), hash);
    }
    // To the letter, so that a build leaves nothing to format.
    const file = readFileSync(new URL("../src/compiled.ts", import.meta.url), "utf8");
    equal(file, compiledModule(await compileEach()));
  }, 60_000);

  it("every refusal has one code, one name and one explanation, the same in Tolk and TypeScript", () => {
    const inTolk = new Map<number, string>();
    for (const folder of ["rules", ...contractNames]) {
      for (const [, name, code] of readSource(`${folder}/errors.tolk`).matchAll(/^ {4}(\w+) = (\w+)/gm)) {
        ok(!inTolk.has(Number(code)), `${code} is used twice`);
        inTolk.set(Number(code), name as string);
      }
    }
    const inTypeScript = new Map(
      Object.entries(refusals).map(([code, [name]]) => [Number(code), name as string]),
    );
    expect(new Map([...inTolk].sort())).toEqual(new Map([...inTypeScript].sort()));
  });

  it("every action asks to bounce when it fails, or says that errors are ignored", () => {
    for (const name of contractNames) {
      const source = readSource(`${name}/main.tolk`);
      for (const [call] of source.matchAll(/\.send\((?!mode\)).*?\);|reserveToncoinsOnBalance\([^;]*;/g)) {
        ok(/BOUNCE_ON_ACTION_FAIL|IGNORE_ERRORS|AT_MOST/.test(call), `${name}: ${call}`);
      }
      ok(!/SEND_MODE_DESTROY|onExternalMessage|acceptExternalMessage|setCode/.test(source), name);
    }
  });
});

describe("costs", () => {
  it("no operation costs more than its limit, takes more gas than its constant, or moved since the snapshot", async () => {
    const table = await costTable(codes, 100);
    for (const [name, most] of Object.entries(limits)) {
      const cost = table.today[name];
      if (cost !== undefined) ok(cost.feeNano <= most, `${name}: ${cost.feeNano} > ${most}`);
    }
    const gas = (name: string, at: number): number => table.today[name]?.gas[at] ?? Number.POSITIVE_INFINITY;
    const stranger = "claim by a stranger that makes a root final, 1,000,000 nodes";
    ok(gas(stranger, 1) <= constant("node-account/fees.tolk", "GAS_CLAIM"));
    ok(gas(stranger, 2) <= constant("vault/fees.tolk", "GAS_VAULT_CLAIM"));
    ok(gas("refused claim, 1,000,000 nodes", 3) <= constant("node-account/fees.tolk", "GAS_CLAIM_BOUNCED"));
    ok(gas("redeem by the key before", 1) <= constant("client-channel/fees.tolk", "GAS_CHANNEL_PAYMENT"));
    ok(gas("redeem that makes a root final", 2) <= constant("vault/fees.tolk", "GAS_VAULT_PAYMENT"));
    ok(gas("close together", 1) <= constant("client-channel/fees.tolk", "GAS_CHANNEL_PAYMENT"));
    ok(gas("close together", 2) + 800 <= constant("vault/fees.tolk", "GAS_VAULT_PAYMENT"));
    ok(gas("close together", 3) <= constant("client-channel/fees.tolk", "GAS_CHANNEL_CONFIRMED"));
    for (const name of ["vault", "registry"] as const) {
      equal(gas(`deploy a ${name}`, 1), footprints[name].arrivalGas);
      equal(footprints[name].bits, constant(`${name}/fees.tolk`, `${name.toUpperCase()}_BITS`));
      equal(footprints[name].cells, constant(`${name}/fees.tolk`, `${name.toUpperCase()}_CELLS`));
    }
    ok(gas("deposit that makes a root final", 1) <= constant("vault/fees.tolk", "GAS_VAULT_DEPOSIT"));
    // `npm run contracts:gas -- --snapshot` writes it anew.
    expect(table).toEqual(JSON.parse(readFileSync(new URL("snapshots/gas.json", import.meta.url), "utf8")));
  }, 120_000);

  it("code and data of each contract fit what its rent reserve is reckoned for", async () => {
    const w = await World.fresh(codes, "today");
    await w.paidIn(gram(100));
    const a = w.node("a");
    await w.finalize(w.treeOf([w.leafOf(a, gram(3))]));
    await w.claim(a, w.leafCell(0));
    await w.commit(w.treeOf([w.leafOf(a, gram(4))]), 2);
    const terms = { withdrawalNano: gram(1), owner: w.owner, guardian: w.guardian };
    await w.toVault(w.owner, vaultMessages.announce(terms));
    const channel = w.channel(w.client, 99n);
    await w.toChannel(w.client, channel, channelMessages.setKey(keyOf("next").publicKey));
    for (const [address, file, name] of [
      [w.vault.address, "vault", "VAULT"],
      [a.account.address, "node-account", "NODE_ACCOUNT"],
      [channel.contract.address, "client-channel", "CHANNEL"],
    ] as const) {
      const { used } = w.chain.account(address)!.account!.storageStats;
      ok(Number(used.cells) <= constant(`${file}/fees.tolk`, `${name}_CELLS`), `${name} ${used.cells} cells`);
      ok(Number(used.bits) <= constant(`${file}/fees.tolk`, `${name}_BITS`), `${name} ${used.bits} bits`);
    }
  });
});

describe("trees", () => {
  const domain = { globalId: mainnet, vault: new Address(0, Buffer.alloc(32, 1)) };
  const leaf = (at: number): LeafAt => ({
    account: new Address(0, Buffer.alloc(32, at + 2)),
    earned: BigInt(at) * 7n + 1n,
    units: BigInt(at),
  });

  it("published vectors are what the code gives", () => {
    const published = readFileSync(new URL("../vectors/trees.json", import.meta.url), "utf8");
    expect(vectors()).toEqual(JSON.parse(published));
  });

  it("every leaf and every empty place of trees of all small sizes leads to root and total", () => {
    for (let size = 1; size <= 17; size++) {
      const leaves = Array.from({ length: size }, (_, at) => (at % 5 === 3 ? undefined : leaf(at)));
      const tree = new SumTree(domain, leaves);
      for (let index = 0; index < 2 ** tree.depth; index++) {
        const { root, total } = foldPath(domain, index, tree.leaf(index), tree.path(index));
        ok(Buffer.from(root).equals(tree.root));
        equal(total, tree.total);
      }
    }
  });

  it("numbers that do not fit, places that are not there and malformed paths are refused by name", () => {
    const account = new Address(0, Buffer.alloc(32));
    throws(() => new SumTree(domain, [{ account, earned: 1n << 120n, units: 0n }]), TreeError);
    throws(() => new SumTree(domain, [{ account, earned: -1n, units: 0n }]), TreeError);
    throws(() => new SumTree(domain, [{ account, earned: 0n, units: 1n << 64n }]), TreeError);
    throws(
      () => new SumTree(domain, [{ account: new Address(-1, account.hash), earned: 0n, units: 0n }]),
      TreeError,
    );
    const most = (1n << 120n) - 1n;
    throws(
      () =>
        new SumTree(domain, [
          { account, earned: most, units: 0n },
          { account, earned: 1n, units: 0n },
        ]),
      TreeError,
    );
    throws(() => new SumTree(domain, [leaf(1), leaf(2)], 0), TreeError);
    throws(() => new SumTree(domain, [leaf(1)], 21), TreeError);
    throws(() => new SumTree(domain, [leaf(1)]).path(1), TreeError);
    throws(() => unpackPath(Cell.EMPTY), TreeError);
  });

  it("a client proves its own line, and only that", () => {
    const leaves = [1, 2, 3, 4, 5].map((at) => ({
      salt: Buffer.alloc(32, at),
      account: Buffer.alloc(32, 9),
      amount: BigInt(at),
    }));
    const tree = new ClientTree(leaves);
    for (const [at, one] of leaves.entries()) {
      ok(verifyClientLeaf(tree.root, one, at, tree.path(at)));
      ok(!verifyClientLeaf(tree.root, { ...one, amount: one.amount + 1n }, at, tree.path(at)));
      ok(!verifyClientLeaf(tree.root, { ...one, salt: Buffer.alloc(32) }, at, tree.path(at)));
      ok(!verifyClientLeaf(tree.root, one, at ^ 1, tree.path(at)));
    }
  });
});

describe("samples of what runs long", () => {
  it("2,000 random operations break no invariant and mean something", async () => {
    const result = await fuzz(codes, 2_000, 1);
    expect(result.violations).toEqual([]);
    expect(vacuous(result)).toEqual([]);
  }, 240_000);

  it("and find what is wrong with a vault that counts the operator's fee twice", async () => {
    const broken = await compileContract("vault", (path) =>
      readSource(path).replace("storage.feeDue += msg.amount - nodesShare", "storage.feeDue += msg.amount"),
    );
    const { violations } = await fuzz({ ...codes, vault: broken.code }, 2_000, 1);
    expect(violations).not.toEqual([]);
  }, 240_000);

  it("four mutants of the contracts do not survive, and the genuine sources do", async () => {
    for (const mutant of sampleOf(allMutants(), 4, 20))
      expect([mutant.id, await judge(mutant)]).not.toContain("survived");
    const [any] = allMutants();
    expect(
      await judge({ ...any!, id: "genuine", source: readSource(any!.file), contracts: ["node-account"] }),
    ).toBe("survived");
  }, 240_000);
});
