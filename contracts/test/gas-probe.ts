import { channelMessages } from "../src/client-channel/client-channel.ts";
import { compileContract } from "../src/compile.ts";
import { gasOf, transactionOf } from "./chain.ts";
import { gram, World } from "./world.ts";

const [a, b, c] = await Promise.all(
  (["client-channel", "node-account", "vault"] as const).map((n) => compileContract(n)),
);
const codes = { clientChannel: a!.code, nodeAccount: b!.code, vault: c!.code, registry: c!.code };
for (const prices of ["today", "before2026"] as const) {
  const w = await World.fresh(codes, prices);
  const fee = async (name: string, f: () => Promise<unknown>) => {
    const f0 = w.chain.feesNano;
    w.chain.transactions = [];
    await f();
    console.log(prices, name, Number(w.chain.feesNano - f0) / 1e9, w.chain.transactions.map(gasOf).join(" "));
  };
  let ch = w.channel();
  await fee("open", async () => {
    ch = await w.open();
  });
  await fee("redeem", () => w.redeem(ch, gram(4), w.stranger, gram(0.1)));
  await fee("redeem2", () => w.redeem(ch, gram(5), w.stranger, gram(0.1)));
  for (const depth of [0, 7, 14, 20]) {
    const w2 = await World.fresh(codes, prices);
    await w2.paidIn();
    const n = w2.node("a");
    const leaves = [w2.leafOf(n, gram(3)), w2.leafOf(w2.node("b"), gram(1))].slice(0, depth === 0 ? 1 : 2);
    const t1 = w2.treeOf(leaves, depth);
    await fee("commit1 " + depth, async () => {
      await w2.commit(t1, 1);
    });
    w2.chain.now += 86400;
    await fee("claim first", () => w2.claim(n, w2.leafCell(0)));
    leaves[0] = w2.leafOf(n, gram(5));
    await fee("commit2 " + depth, async () => {
      console.log(await w2.commit(w2.treeOf(leaves, depth), 2));
    });
    w2.chain.now += 86400;
    await fee("claim 2", () => w2.claim(n, w2.leafCell(0)));
    leaves[0] = w2.leafOf(n, gram(6));
    await fee("commit3 " + depth, async () => {
      await w2.commit(w2.treeOf(leaves, depth), 3);
    });
    w2.chain.now += 86400;
    await fee("claim stranger", () => w2.claim(n, w2.leafCell(0), w2.stranger));
  }
}
