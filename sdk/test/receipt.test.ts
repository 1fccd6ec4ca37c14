import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packAck } from "@bombyx/contracts/vault-messages";
import {
  attestationId,
  bootBinding,
  nodeId,
  openCommitment,
  reportData,
  statementBytes,
  statementSchema,
} from "@bombyx/protocol/attestation";
import {
  exactUnits,
  firstReceiptsHash,
  nextReceiptsHash,
  priceId,
  sign,
  signReceipt,
  unitsToNano,
} from "@bombyx/protocol/receipt";
import { newSigningKeyPair } from "@bombyx/protocol/session";
import { type Ack, fromHex, toBase64, toHex } from "@bombyx/protocol/wire";
import { ackHash, type ReceiptFile, receiptChecks, verifyReceiptFile } from "@bombyx/sdk/receipt";
import { Address } from "@ton/core";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { receiptCommand } from "../src/receipt/command.ts";
import { ask, stage, story, textOf } from "./stand-in/index.ts";
import { saying } from "./stand-in/script.ts";

let file: ReceiptFile;
let folder = "";
beforeAll(async () => {
  const { client } = await stage();
  const answer = await client.chat.completions.create(ask);
  const kept = client.receipt(answer.id);
  if (!kept) throw new Error("the answer's receipt was not kept");
  // As it is written and read again.
  file = JSON.parse(JSON.stringify(kept));
  folder = await mkdtemp(join(tmpdir(), "bombyx-receipt-"));
});
afterAll(() => rm(folder, { recursive: true }));

const ackKeys = () => newSigningKeyPair();

/** The same charge as a gateway gives it: without what is sealed, with its Ack. */
async function acknowledged(change: Partial<Ack> = {}): Promise<ReceiptFile> {
  const keys = ackKeys();
  const ack: Ack = {
    globalId: -239,
    vault: "0a".repeat(32),
    account: "0b".repeat(32),
    index: 3,
    epoch: 9,
    n: 1,
    cumulativeNano: "576",
    heldNano: "0",
    receiptsHash: nextReceiptsHash(firstReceiptsHash, file.signed.receipt),
    ...change,
  };
  const { detail: _, ...rest } = file;
  const signature = toHex(sign(await ackHash(ack), keys.privateKey));
  const ackPk = toHex(keys.publicKey);
  return { ...rest, ack: { ack, signature, previousHash: firstReceiptsHash, ackPk } };
}

test("a client keeps what anybody needs to judge an answer's cost, and it holds without a network", async () => {
  const verified = await verifyReceiptFile(file);
  expect(verified).toMatchObject({ tier: "tdx", model: "spark", finish: "done", units: 64, costNano: 640n });
  expect(verified.checked).toEqual(["format", "statement", "signature", "node", "price", "units", "charge"]);
  expect(verified.notChecked).toEqual(["ack"]);
});

test("what the gateway gives holds without the sealed counts, and its Ack is checked", async () => {
  const verified = await verifyReceiptFile(await acknowledged());
  expect(verified.notChecked).toEqual(["units"]);
  expect(verified.ack).toMatchObject({ vault: "0a".repeat(32), n: 1 });
  expect(receiptChecks).toEqual(
    [...verified.checked, ...verified.notChecked].sort(
      (a, b) => receiptChecks.indexOf(a) - receiptChecks.indexOf(b),
    ),
  );
});

test.for([
  ["tdx", reportData],
  ["open", openCommitment],
] as const)(
  "a receipt of the tier %s says so: nobody takes an owner's word for a quote",
  async ([tier, commit]) => {
    const [sig, link] = [newSigningKeyPair(), newSigningKeyPair()];
    const statement = {
      ...statementSchema.parse(JSON.parse(atob(file.attestation?.statement ?? ""))),
      node: toHex(nodeId(link.publicKey, "unset")),
      sig_pk: toHex(sig.publicKey),
    };
    const bytes = statementBytes(statement);
    const receipt = { ...file.signed.receipt, attestationId: toHex(attestationId(await commit(bytes))) };
    const bound = bootBinding(fromHex(statement.boot_id), sig.publicKey);
    const made = {
      ...file,
      signed: signReceipt(receipt, sig.privateKey),
      attestation: {
        statement: toBase64(bytes),
        link: {
          linkPk: toHex(link.publicKey),
          payout: "unset",
          signature: toHex(sign(bound, link.privateKey)),
        },
      },
    };
    expect((await verifyReceiptFile(made)).tier).toBe(tier);
  },
);

const flip = (hex: string): string => `${hex.startsWith("0") ? "1" : "0"}${hex.slice(1)}`;
type Forged = [what: string, check: string, forge: () => ReceiptFile | Promise<ReceiptFile>];
const forged: Forged[] = [
  [
    "more units",
    "signature",
    () => ({ ...file, signed: { ...file.signed, receipt: { ...file.signed.receipt, units: 128 } } }),
  ],
  [
    "another signature",
    "signature",
    () => ({ ...file, signed: { ...file.signed, signature: flip(file.signed.signature) } }),
  ],
  ["no statement", "statement", () => ({ ...file, attestation: null })],
  [
    "the statement of another key",
    "statement",
    () => {
      const text = atob(file.attestation?.statement ?? "").replace(
        /"sig_pk":"[0-9a-f]{64}"/,
        `"sig_pk":"${"ab".repeat(32)}"`,
      );
      return { ...file, attestation: { ...file.attestation!, statement: btoa(text) } };
    },
  ],
  [
    "another owner's link",
    "node",
    () => ({
      ...file,
      attestation: { ...file.attestation!, link: { ...file.attestation!.link, linkPk: "cd".repeat(32) } },
    }),
  ],
  [
    "a link that did not sign",
    "node",
    () => ({
      ...file,
      attestation: {
        ...file.attestation!,
        link: { ...file.attestation!.link, signature: flip(file.attestation!.link.signature) },
      },
    }),
  ],
  [
    "another payout",
    "node",
    () => ({
      ...file,
      attestation: { ...file.attestation!, link: { ...file.attestation!.link, payout: "0:thief" } },
    }),
  ],
  [
    "a price that its id does not name",
    "price",
    () => ({ ...file, price: { ...file.price!, nanoPerUnit: "11" } }),
  ],
  [
    "another price",
    "price",
    () => {
      const { id: _, ...row } = { ...file.price!, nanoPerUnit: 11n };
      return { ...file, price: { ...row, id: priceId(row), nanoPerUnit: "11" } };
    },
  ],
  ["other sealed counts", "units", () => ({ ...file, detail: { ...file.detail!, completionTokens: 1 } })],
  ["another charge", "charge", () => ({ ...file, chargedNano: "641" })],
  ["an Ack of another receipt", "ack", () => acknowledged({ receiptsHash: "ef".repeat(32) })],
  [
    "an Ack that was changed",
    "ack",
    async () => {
      const made = await acknowledged();
      return { ...made, ack: { ...made.ack!, ack: { ...made.ack!.ack, cumulativeNano: "577" } } };
    },
  ],
  ["a field of another type", "format", () => ({ ...file, signed: { ...file.signed, signature: "zz" } })],
];

test.for(forged)("a receipt with %s is refused by its own check", async ([, check, forge]) => {
  await expect(verifyReceiptFile(await forge())).rejects.toMatchObject({ code: "RECEIPT_INVALID", check });
  await verifyReceiptFile(file);
  await verifyReceiptFile(await acknowledged());
});

/** The command, without a process around it. */
async function command(...args: string[]) {
  let text = "";
  const code = await receiptCommand(args, {
    stdout: {
      write: (line) => {
        text += line;
      },
    },
  });
  return { code, text };
}

test("bombyx receipt verify prints one line of JSON, and its exit code says whether the receipt holds", async () => {
  const path = join(folder, "receipt.json");
  await writeFile(path, JSON.stringify(file));
  const good = await command("verify", path);
  expect(good.code).toBe(0);
  expect(good.text).toMatch(/^\{.*\}\n$/);
  expect(JSON.parse(good.text)).toMatchObject({
    ok: true,
    costNano: "640",
    units: 64,
    model: "spark",
    ack: null,
  });
  await writeFile(path, JSON.stringify({ ...file, chargedNano: "1" }));
  const bad = await command("verify", path);
  expect(bad.code).toBe(1);
  expect(JSON.parse(bad.text)).toMatchObject({ ok: false, code: "RECEIPT_INVALID", check: "charge" });
  await writeFile(path, "{");
  for (const wrong of [
    ["verify", path],
    ["verify"],
    ["judge", path],
    ["verify", join(folder, "none.json")],
  ]) {
    const { code, text } = await command(...wrong);
    expect([code, JSON.parse(text).code]).toEqual([2, "USAGE"]);
  }
  expect(await command("--help")).toMatchObject({ code: 0 });
});

test("the receipt of a stream and of an answer by the openai-compatible door are kept by their id, the last 64", async () => {
  const { client } = await stage([{ name: "alone", script: saying(story) }]);
  const stream = await client.chat.completions.create({ ...ask, stream: true });
  let id = "";
  for await (const chunk of stream) id = chunk.id;
  expect(client.receipt(id)?.signed.receipt.units).toBe(64);
  expect(client.receipt("chatcmpl-unknown")).toBeUndefined();

  const post = { method: "POST", body: JSON.stringify(ask) };
  const answer = await (await client.fetch("https://any.example/v1/chat/completions", post)).json();
  const found = await client.fetch(`https://any.example/v1/receipts/${answer.id}`);
  expect((await verifyReceiptFile(await found.json())).units).toBe(64);
  const missing = await client.fetch("https://any.example/v1/receipts/chatcmpl-00");
  expect([missing.status, (await missing.json()).error.code]).toEqual([404, "NOT_FOUND"]);
  for (let more = 0; more < 63; more++) await client.chat.completions.create(ask);
  expect(client.receipt(id)).toBeUndefined();
  expect(client.receipt(answer.id)).toBeDefined();
});

test("what an Ack's signature covers is the hash of the very cell that the vault rebuilds", async () => {
  const nano = fc.oneof(
    fc.constantFrom(0n, 1n, 255n, 256n, 2n ** 120n - 1n),
    fc.bigInt({ min: 0n, max: 2n ** 120n - 1n }),
  );
  const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex);
  await fc.assert(
    fc.asyncProperty(
      bytes,
      bytes,
      bytes,
      nano,
      nano,
      fc.integer(),
      fc.nat(),
      fc.nat(),
      fc.nat(),
      async (vault, account, receiptsHash, cumulative, held, globalId, index, epoch, n) => {
        const ack = {
          globalId,
          vault,
          account,
          index,
          epoch,
          n,
          cumulativeNano: `${cumulative}`,
          heldNano: `${held}`,
          receiptsHash,
        };
        const at = (hash: string) => new Address(0, Buffer.from(hash, "hex"));
        const cell = packAck({
          globalId,
          vault: at(vault),
          account: at(account),
          index,
          epoch,
          cumulativeNano: cumulative,
          heldNano: held,
          count: BigInt(n),
          receiptsHash: Buffer.from(receiptsHash, "hex"),
        });
        expect(toHex(await ackHash(ack))).toBe(cell.hash().toString("hex"));
      },
    ),
  );
});

test("usage carries units and cost, in the whole answer, in a stream's last chunk and of embeddings", async () => {
  const { client } = await stage([{ name: "alone", script: saying(story) }]);
  const cost = { units: 64, cost_nano: "640" };
  expect((await client.chat.completions.create(ask)).usage).toMatchObject(cost);
  const stream = await client.chat.completions.create({
    ...ask,
    stream: true,
    stream_options: { include_usage: true },
  });
  let usage: unknown;
  for await (const chunk of stream) usage = chunk.usage ?? usage;
  expect(usage).toMatchObject(cost);
});

test("the settlement's vector costs what it says: 1,235 units, rounded up to a step of 64 in the clear", async () => {
  const words = (count: number, word: "text" | "reasoning") =>
    Array.from({ length: count }, () => (word === "text" ? { text: "a " } : { reasoning: "b " }));
  const script = () => ({
    deltas: [...words(10, "reasoning"), ...words(90, "text")],
    promptTokens: 34,
    cachedTokens: 11,
  });
  const { client, gateway } = await stage([{ name: "dear", coefficient: 1_500, script }]);
  const { id: _, ...row } = {
    ...gateway.price,
    nanoPerUnit: 20n,
    cachedMultiplier: 1_000,
    completionMultiplier: 80_000,
    reasoningMultiplier: 80_000,
  };
  gateway.price = { id: priceId(row), ...row };
  const { usage, id } = await client.chat.completions.create(ask);
  expect(exactUnits(client.receipt(id)!.detail!, 1_500, row)).toBe(1_235n);
  expect(unitsToNano(1_235, row)).toBe(24_700n);
  expect(usage).toMatchObject({
    prompt_tokens: 34,
    completion_tokens: 100,
    prompt_tokens_details: { cached_tokens: 11 },
    completion_tokens_details: { reasoning_tokens: 10 },
    units: 1_280,
    cost_nano: "25600",
  });
});

test("a request says what it pays at most: dearer nodes are passed over, and the fields are not sealed", async () => {
  const cheap = { name: "cheap", score: 1, coefficient: 1_000, script: saying(story) };
  const dear = { name: "dear", score: 1e6, coefficient: 1_900, script: saying(story) };
  const { client, gateway } = await stage([cheap, dear]);
  const answered = await client.chat.completions.create({
    ...ask,
    max_coefficient: 1_200,
    max_cost_nano: "100000",
  });
  expect(answered.bombyx.node).toBe(gateway.nodes[0]?.candidate.node);
  const sealed = gateway.nodes[0]?.requests[0];
  expect(Object.keys(sealed?.body ?? {})).toEqual(["model", "messages", "max_tokens"]);
  await expect(client.chat.completions.create({ ...ask, max_coefficient: 900 })).rejects.toMatchObject({
    code: "NO_CANDIDATE",
    field: "max_coefficient",
  });
  await expect(client.chat.completions.create(ask, { maxCoefficient: 900 })).rejects.toMatchObject({
    code: "NO_CANDIDATE",
  });
  await client.chat.completions.create(ask);
});

test("a ceiling in nano becomes the sealed ceiling in units, and below one unit nothing is sent", async () => {
  const { client, gateway } = await stage([{ name: "alone", script: saying(story) }]);
  await client.chat.completions.create({ ...ask, max_cost_nano: "649" });
  await client.chat.completions.create(ask, { maxCostNano: 5_000n });
  await client.chat.completions.create({ ...ask, max_cost_nano: "9000" }, { maxCostNano: 5_009n });
  await client.chat.completions.create(ask);
  const ceilings = gateway.nodes[0]?.requests.map(({ ceilingUnits }) => ceilingUnits);
  expect(ceilings?.slice(0, 3)).toEqual([64, 500, 500]);
  expect(ceilings?.[3]).toBeGreaterThan(500);
  await expect(client.chat.completions.create({ ...ask, max_cost_nano: "9" })).rejects.toMatchObject({
    code: "CAP",
    field: "max_cost_nano",
  });
  for (const wrong of [
    { max_cost_nano: 5 },
    { max_cost_nano: "1.5" },
    { max_cost_nano: "0" },
    { max_coefficient: 0 },
    { max_coefficient: 1.5 },
  ]) {
    await expect(client.chat.completions.create({ ...ask, ...wrong } as never)).rejects.toMatchObject({
      code: "BAD_REQUEST",
      field: Object.keys(wrong)[0],
    });
  }
  expect(gateway.nodes[0]?.requests).toHaveLength(4);
  expect(
    await textOf(await client.chat.completions.create({ ...ask, stream: true, max_cost_nano: "640" })),
  ).toBe(story);
});
