import { equal, ok } from "node:assert/strict";
import { codeAt } from "../chain.ts";
import type { Scenario } from "../scenario.ts";
import { gram } from "../world.ts";

export const scenarios: Scenario[] = [
  {
    name: "a voucher's money reaches the node's owner: open, redeem, commit, 24 h, claim",
    run: async (w) => {
      const channel = await w.open();
      equal(await w.redeem(channel, gram(4)), 0);
      const paid = await w.view();
      equal(paid.nodesCreditNano, gram(3.6));
      equal(paid.feeDueNano, gram(0.4));

      const node = w.node("a");
      const tree = w.treeOf([w.leafOf(node, gram(3)), w.leafOf(w.node("b"), gram(0.5))]);
      await w.finalize(tree);
      const before = w.chain.balance(node.owner);
      const done = await w.claim(node, w.leafCell(0));
      equal(codeAt(done, node.account.address), 0);
      equal(codeAt(done, w.vault.address), 0);
      const earned = w.chain.balance(node.owner) - before;
      ok(earned > gram(2.9) && earned < gram(3), `${earned}`);
      equal((await w.view()).paidNano, gram(3));
      equal(w.chain.totalNano() + w.chain.feesNano > 0n, true);
    },
  },
];
