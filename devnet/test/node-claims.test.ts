import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCli } from "@bombyx/node-agent";
import { orderSchema } from "@bombyx/node-agent/settlement";
import { nodeProofSchema } from "@bombyx/protocol/wire";
import { Address, Cell, loadStateInit } from "@ton/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import * as z from "zod";
import { gram } from "./local-ton.ts";
import { hour, VaultOperator } from "./vault-operator.ts";
import "./patience.ts";

let operator: VaultOperator;
let folder = "";
beforeEach(async () => {
  operator = await VaultOperator.start();
  folder = await mkdtemp(join(tmpdir(), "bombyx-claim-"));
});
afterEach(async () => {
  await operator[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** The command as an owner runs it, on the folder of the node. */
async function command(argv: readonly string[], online = true) {
  const printed = { out: "", error: "" };
  const status = await runCli([...argv, "--state", operator.folder], {
    environment: {},
    ...(online && { chain: { name: "local", endpoints: operator.endpoints } }),
    stdout: {
      write: (text) => {
        printed.out += text;
      },
    },
    stderr: {
      write: (text) => {
        printed.error += text;
      },
    },
  });
  return { status, ...printed };
}

const earningsSchema = z.object({
  earnedNano: z.string(),
  heldNano: z.string(),
  pendingNano: z.string().nullable(),
  finalNano: z.string(),
  paidNano: z.string().nullable(),
  dueNano: z.string().nullable(),
  next: z.string(),
});
const earnings = async (online = true) =>
  earningsSchema.parse(JSON.parse((await command(["earnings", "--json"], online)).out));

/** 5 GRAM acknowledged, 4 of them final; then the operator is switched off. */
async function finalEarnings(): Promise<void> {
  const node = await operator.settlement();
  await node.terms(operator.chain.settlement.operator.ack.publicKey.toString("hex"));
  await node.acknowledged(operator.ack(gram(5), 1, { heldNano: gram(1).toString() }));
  const built = operator.build([operator.leaf(gram(4)), undefined]);
  await node.proof(built.proof);
  await operator.commit(built);
  await node.look();
  expect(await earnings()).toMatchObject({ pendingNano: `${gram(4)}`, finalNano: "0", dueNano: "0" });
  await operator.chain.ton.advance(24 * hour);
  await node.look();
  node.close();
  await operator.goAway();
}

it("a final earning is claimed by anybody's wallet from what the node kept, when the operator is switched off", async () => {
  await finalEarnings();
  expect(await earnings()).toMatchObject({
    earnedNano: `${gram(5)}`,
    heldNano: `${gram(1)}`,
    pendingNano: null,
    finalNano: `${gram(4)}`,
    paidNano: "0",
    dueNano: `${gram(4)}`,
    next: "bombyx-node claim: 4 GRAM can be claimed now",
  });

  const file = join(folder, "claim.json");
  const claim = await command(["claim", "--out", file]);
  expect(claim).toMatchObject({ status: 0, error: "", out: expect.stringContaining("Claims 4 GRAM.") });
  const { proof, ...rest } = JSON.parse(await readFile(file, "utf8"));
  nodeProofSchema.parse(proof);
  const order = orderSchema.parse(rest);
  expect(claim.out).toContain(order.link);

  // The link alone is enough for a wallet.
  const link = new URL(order.link.replace("ton://", "https://"));
  const binary = (name: string) =>
    Cell.fromBoc(Buffer.from(link.searchParams.get(name) ?? "", "base64url"))[0];
  const init = binary("init");
  const stranger = await operator.chain.person(gram(1));
  const owner = operator.owner.wallet.address;
  const before = operator.chain.ton.balance(owner);
  await operator.chain.send(stranger, {
    to: Address.parse(link.pathname.split("/").at(-1) ?? ""),
    value: BigInt(link.searchParams.get("amount") ?? 0),
    init: init ? loadStateInit(init.beginParse()) : null,
    body: binary("bin") ?? null,
  });
  await operator.chain.ton.settled();
  const grown = operator.chain.ton.balance(owner) - before;
  expect(grown).toBeGreaterThan(gram(3.999));
  expect(grown).toBeLessThanOrEqual(gram(4));
  expect(await earnings()).toMatchObject({ paidNano: `${gram(4)}`, dueNano: "0" });

  // The same message once more moves nothing, and the command says why there is none.
  const after = operator.chain.ton.balance(owner);
  await operator.chain.send(stranger, {
    to: Address.parse(order.to),
    value: gram(0.05),
    body: Cell.fromBase64(order.payload),
  });
  await operator.chain.ton.settled();
  expect(operator.chain.ton.balance(owner)).toBe(after);
  expect(await command(["claim"])).toMatchObject({
    status: 1,
    error: "bombyx-node claim: All that is final is paid already.\n",
  });
});

it("sends the claim itself when its own wallet has money, and says what was paid", async () => {
  await finalEarnings();
  expect(await command(["claim", "--send"])).toMatchObject({
    status: 1,
    error: expect.stringContaining("holds less than"),
  });
  await operator.fundDisputes();
  const before = operator.chain.ton.balance(operator.owner.wallet.address);
  expect(await command(["claim", "--send"])).toEqual({
    status: 0,
    error: "",
    out: `Paid: 4 GRAM went to ${operator.payout}.\n`,
  });
  expect(operator.chain.ton.balance(operator.owner.wallet.address) - before).toBeGreaterThan(gram(3.999));
});

it("makes the message without the chain, too, and says what it does not know", async () => {
  await finalEarnings();
  expect(await earnings(false)).toMatchObject({ finalNano: `${gram(4)}`, paidNano: null, dueNano: null });
  const claim = await command(["claim", "--json"], false);
  expect(claim.status).toBe(0);
  const { dueNano, paidNano, proof: _, ...order } = JSON.parse(claim.out);
  expect([dueNano, paidNano]).toEqual([null, null]);
  // Whether the account is there is not known either; its StateInit does no harm.
  expect(orderSchema.parse(order).stateInit).not.toBeNull();
});

it("tells a person what is earned, held, final and paid, and where disputes are paid from", async () => {
  await finalEarnings();
  const { out, status } = await command(["earnings"]);
  expect(status).toBe(0);
  for (const line of [
    /earned +5 +acknowledged for 1 requests/,
    /held +1 /,
    /final +4 +proof of epoch 1 kept, 0 h old/,
    /paid +0 /,
    /disputes 0Q\S+, holds 0 GRAM; should hold 0\.25 GRAM/,
    /next +bombyx-node claim: 4 GRAM can be claimed now\./,
  ])
    expect(out).toMatch(line);
  const empty = await runCli(["earnings", "--state", folder], {
    environment: {},
    stderr: { write: () => true },
  });
  expect(empty).toBe(1);
});
