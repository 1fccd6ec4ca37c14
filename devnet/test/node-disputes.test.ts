import { vaultMessages } from "@bombyx/contracts/vault-messages";
import { toncenterReader } from "@bombyx/node-agent/settlement";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { gram } from "./local-ton.ts";
import { hour, VaultOperator, type WrittenLeaf } from "./vault-operator.ts";
import "./patience.ts";

let operator: VaultOperator;
beforeEach(async () => {
  operator = await VaultOperator.start();
});
afterEach(() => operator[Symbol.asyncDispose]());

const ackPk = () => operator.chain.settlement.operator.ack.publicKey.toString("hex");
const states = () => operator.statuses.map(({ state }) => state);

/** A node with 5 GRAM in the final root of epoch 1, and money for disputes. */
async function nodeWithFinalEarnings() {
  const node = await operator.settlement();
  await node.terms(ackPk());
  await operator.fundDisputes();
  await node.acknowledged(operator.ack(gram(5), 1));
  const built = operator.build([operator.leaf(gram(5)), operator.leaf(gram(2), operator.other)]);
  await node.proof(built.proof);
  await operator.commit(built);
  await node.look();
  expect(operator.statuses).toContainEqual({ state: "proven", epoch: 1, earnedNano: gram(5) });
  await operator.chain.ton.advance(24 * hour);
  await node.look();
  expect(operator.statuses).toContainEqual({ state: "final", epoch: 1, earnedNano: gram(5) });
  operator.statuses.length = 0;
  return node;
}

describe("an operator is stopped by the node's own dispute when it commits a root", () => {
  const own = (earned: number) => operator.leaf(gram(earned));
  const others = (earned: number) => operator.leaf(gram(earned), operator.other);
  const roots: [string, () => WrittenLeaf[]][] = [
    ["without the node's leaf", () => [undefined, others(8)]],
    ["with less than was final", () => [own(4), others(4)]],
    ["with another account in the node's place", () => [others(6), others(2)]],
  ];
  it.each(roots)("%s; its honest twin becomes final", async (_, leaves) => {
    const node = await nodeWithFinalEarnings();
    const pushedNothing = operator.build(leaves());
    await operator.commit(pushedNothing);
    expect((await operator.vault).pendingRoot?.epoch).toBe(2);
    await node.look();
    expect(operator.statuses).toContainEqual({ state: "disputed", epoch: 2, evidence: "final" });
    // It serves nothing to such an operator.
    expect(node.gate.hold?.code).toBe("contradicted");
    expect(node.gate.refusal()).toMatchObject({ code: "NODE_BUSY" });
    await operator.chain.ton.settled();
    expect((await operator.vault).pendingRoot).toBeUndefined();
    expect((await operator.vault).finalRoot?.epoch).toBe(1);
    await node.look();
    expect(states()).toContain("upheld");
    expect(node.gate.hold).toBeUndefined();

    // The twin: the same sums, with what this node is owed; the number of the disputed root is not used again.
    await operator.commit(operator.build([operator.leaf(gram(6)), operator.leaf(gram(2), operator.other)]));
    await node.look();
    await operator.chain.ton.advance(24 * hour);
    await node.look();
    expect((await operator.vault).finalRoot?.epoch).toBe(3);
    expect(operator.statuses).toContainEqual({ state: "final", epoch: 3, earnedNano: gram(6) });
    expect(states().filter((state) => state === "disputed")).toHaveLength(1);
  });

  it("below what its ack key signed, although nothing was ever final", async () => {
    const node = await operator.settlement();
    await node.terms(ackPk());
    await operator.fundDisputes();
    await node.acknowledged(operator.ack(gram(5), 1, { heldNano: gram(1).toString() }));
    // What is promised for a later epoch counts for that one.
    await node.acknowledged(operator.ack(gram(9), 2));
    await operator.commit(operator.build([operator.leaf(gram(3.9)), undefined]));
    await node.look();
    expect(operator.statuses).toContainEqual({ state: "disputed", epoch: 1, evidence: "ack" });
    await operator.chain.ton.settled();
    expect((await operator.vault).pendingRoot).toBeUndefined();
    await node.look();

    operator.statuses.length = 0;
    await operator.commit(operator.build([operator.leaf(gram(9)), undefined]));
    await node.look();
    expect(operator.statuses).toContainEqual({ state: "proven", epoch: 2, earnedNano: gram(9) });
    expect((await operator.vault).pendingRoot?.epoch).toBe(2);
  });

  it("and does nothing about one that keeps its word to the nano", async () => {
    const node = await operator.settlement();
    await node.terms(ackPk());
    await operator.fundDisputes();
    await node.acknowledged(operator.ack(gram(5), 1, { heldNano: gram(1).toString() }));
    await operator.commit(operator.build([operator.leaf(gram(4)), undefined]));
    await node.look();
    expect(states()).not.toContain("disputed");
    expect(operator.statuses).toContainEqual({ state: "proven", epoch: 1, earnedNano: gram(4) });
  });

  it("also when the leaves are not published, with the proof that it pushed itself", async () => {
    const node = await nodeWithFinalEarnings();
    const low = operator.build([operator.leaf(gram(1)), operator.leaf(gram(7), operator.other)]);
    await node.proof(low.proof);
    await operator.commit(low, false);
    await node.look();
    await operator.chain.ton.settled();
    expect((await operator.vault).pendingRoot).toBeUndefined();
  });

  it("once its wallet has money: until then the owner is told where to send it, and anybody can send the dispute", async () => {
    const node = await operator.settlement();
    await node.terms(ackPk());
    await node.acknowledged(operator.ack(gram(5), 1));
    await operator.commit(operator.build([undefined, operator.leaf(gram(5), operator.other)]));
    await node.look();
    const wallet = (await operator.disputeWallet()).address.toString({ bounceable: false, testOnly: true });
    expect(operator.statuses).toContainEqual({ state: "unfunded", wallet, neededNano: gram(0.25) });
    expect((await operator.vault).pendingRoot?.epoch).toBe(1);
    await operator.fundDisputes();
    await node.look();
    await operator.chain.ton.settled();
    expect((await operator.vault).pendingRoot).toBeUndefined();
  });
});

describe("a node serves nothing for now", () => {
  it("after a root that took from it has become final, because its wallet for disputes was empty", async () => {
    const node = await operator.settlement();
    await node.terms(ackPk());
    await node.acknowledged(operator.ack(gram(5), 1));
    await operator.commit(operator.build([undefined, operator.leaf(gram(5), operator.other)]));
    await node.look();
    expect(states()).toContain("unfunded");
    await operator.chain.ton.advance(24 * hour);
    await node.look();
    expect((await operator.vault).finalRoot?.epoch).toBe(1);
    expect(states()).not.toContain("upheld");
    expect(node.gate.hold).toMatchObject({
      code: "contradicted",
      message: expect.stringContaining("has become final"),
    });
  });

  it("when a pending root has had no proof for 12 hours; and again once it was shown one", async () => {
    const node = await operator.settlement();
    await node.terms(ackPk());
    await node.acknowledged(operator.ack(gram(5), 1));
    const built = operator.build([operator.leaf(gram(5)), undefined]);
    await operator.commit(built, false);
    await node.look();
    expect(node.gate.hold).toBeUndefined();
    await operator.chain.ton.advance(12 * hour + 60_000);
    await node.look();
    expect(node.gate.hold).toMatchObject({
      code: "unproven",
      message: expect.stringContaining("bombyx-node claim"),
    });
    await node.proof(built.proof);
    await node.look();
    expect(node.gate.hold).toBeUndefined();
    expect(states()).toEqual(["vault", "held", "serving", "proven"]);
  });

  it("at its owner's own limit of what is not final; and again when it is", async () => {
    const node = await operator.settlement({ maxUnpaidNano: gram(5) });
    await node.terms(ackPk());
    await node.acknowledged(operator.ack(gram(5) - 1n, 1));
    expect(node.gate.hold).toBeUndefined();
    await node.acknowledged(operator.ack(gram(5), 1));
    expect(node.gate.hold).toMatchObject({
      code: "unpaid",
      message: expect.stringContaining("--max-unpaid is 5"),
    });
    await operator.commit(operator.build([operator.leaf(gram(5)), undefined]));
    await node.look();
    expect(node.gate.hold?.code).toBe("unpaid");
    await operator.chain.ton.advance(24 * hour);
    await node.look();
    expect(node.gate.hold).toBeUndefined();
  });

  it("when the vault's ack key is no longer the gateway's", async () => {
    const node = await operator.settlement();
    await node.terms(ackPk());
    await node.look();
    expect(node.gate.hold).toBeUndefined();
    const { owner, committer } = operator.chain.settlement.operator;
    await operator.chain.send(owner, {
      to: operator.chain.settlement.vault.address,
      value: gram(0.1),
      body: vaultMessages.rotateHotKeys(committer.wallet.address, Buffer.alloc(32, 7)),
    });
    await operator.chain.ton.settled();
    await node.look();
    expect(node.gate.hold?.code).toBe("ack-key");
  });
});

it("keeps no proof that does not fold to its root and total, or that moves the node to another place", async () => {
  const node = await operator.settlement();
  await node.terms(ackPk());
  const { proof } = operator.build([operator.leaf(gram(5)), undefined]);
  const kept = () => node.evidence.pushedProofs.length;
  for (const forged of [
    { ...proof, leaf: { ...proof.leaf, earnedNano: gram(6).toString() } },
    { ...proof, root: { ...proof.root, committedNano: gram(4).toString() } },
    { ...proof, root: { ...proof.root, depth: 2 } },
    { ...proof, leaf: { ...proof.leaf, index: 1 } },
    { ...proof, path: [] },
  ]) {
    operator.statuses.length = 0;
    await node.proof(forged);
    expect(operator.statuses).toContainEqual({ state: "trouble", message: expect.stringContaining("fold") });
  }
  expect(kept()).toBe(0);
  await node.proof(proof);
  expect(kept()).toBe(1);

  await node.acknowledged(operator.ack(gram(5), 1));
  const moved = operator.build([undefined, operator.leaf(gram(5))]).proof;
  operator.statuses.length = 0;
  await node.proof({ ...moved, leaf: { ...moved.leaf, index: 1, earnedNano: gram(5).toString() } });
  expect(operator.statuses).toContainEqual({ state: "trouble", message: expect.stringContaining("index") });
  expect(kept()).toBe(1);
});

describe("the vault that pays a node", () => {
  const other = () => operator.chain.settlement.registry.address.toRawString();

  it("is the one that the gateway names at first, checked on chain; then no other", async () => {
    const first = await operator.settlement();
    const terms = await first.terms(ackPk());
    expect(terms).toMatchObject({ globalId: -2_026, account: operator.account.address.hash.toString("hex") });
    expect(operator.statuses).toContainEqual(expect.objectContaining({ state: "vault", fresh: true }));

    // A node that starts again on its folder knows it, and another name for the money is refused for good.
    const again = await operator.settlement();
    await again.terms(ackPk());
    expect(operator.statuses).toContainEqual(expect.objectContaining({ state: "vault", fresh: false }));
    const honest = operator.terms;
    operator.terms = { ...honest, vault: other() };
    await expect(again.terms(ackPk())).rejects.toMatchObject({ code: "VAULT_MISMATCH", field: "vault" });
    operator.terms = undefined;
    await expect(again.terms(ackPk())).rejects.toMatchObject({ code: "VAULT_MISMATCH" });
    operator.terms = { ...honest, globalId: -3 };
    await expect(again.terms(ackPk())).rejects.toMatchObject({ code: "VAULT_MISMATCH" });
    operator.terms = honest;
    await again.terms(ackPk());
  });

  it("is no other contract, and none of another network", async () => {
    const node = await operator.settlement();
    const honest = operator.terms;
    operator.terms = { ...honest, vault: other() };
    await expect(node.terms(ackPk())).rejects.toMatchObject({
      code: "VAULT_MISMATCH",
      message: expect.stringContaining("is not Bombyx's vault"),
    });
    operator.terms = { ...honest, vault: operator.other.toRawString() };
    await expect(node.terms(ackPk())).rejects.toMatchObject({
      code: "CHAIN_UNAVAILABLE",
      message: expect.stringContaining("no contract"),
    });
    operator.terms = { ...honest, globalId: -239 };
    await expect(node.terms(ackPk())).rejects.toMatchObject({ code: "VAULT_MISMATCH" });
    operator.terms = honest;
    await node.terms(ackPk());
  });

  it("is the one that its owner names, when he names one", async () => {
    const wrong = await operator.settlement({ vault: other() });
    await expect(wrong.terms(ackPk())).rejects.toMatchObject({ code: "VAULT_MISMATCH" });
    const friendly = operator.chain.settlement.vault.address.toString({ testOnly: true });
    const right = await operator.settlement({ vault: friendly });
    await right.terms(ackPk());
    await expect((await operator.settlement({ vault: "my vault" })).terms(ackPk())).rejects.toMatchObject({
      code: "BAD_REQUEST",
    });
  });

  it("knows the key that the gateway acknowledges with", async () => {
    const node = await operator.settlement();
    await expect(node.terms("77".repeat(32))).rejects.toMatchObject({ code: "ACK_KEY_UNKNOWN" });
    await node.terms(ackPk());
  });

  it("is believed when two endpoints agree, and not on the word of one", async () => {
    const [one = ""] = operator.endpoints;
    const alone = await operator.settlement({
      chain: toncenterReader([one, one, "http://127.0.0.1:9/api/v2"], fetch, async () => {}),
    });
    await expect(alone.terms(ackPk())).rejects.toMatchObject({ code: "CHAIN_UNAVAILABLE" });
    const two = await operator.settlement();
    await two.terms(ackPk());
  });
});
