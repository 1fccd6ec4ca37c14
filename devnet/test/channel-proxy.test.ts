import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ownReceiptSchema, totalOf } from "@bombyx/sdk/payment";
import { fileStore } from "@bombyx/sdk/payment-file";
import { Address, Cell, loadStateInit } from "@ton/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import * as z from "zod";
import { type Child, startChild } from "../src/processes/child.ts";
import { type ChannelNetwork, type Developer, startChannelNetwork } from "./channel-network.ts";
import { post, user } from "./sse.ts";
import "./patience.ts";

const cli = new URL("../../sdk/src/cli.ts", import.meta.url);
let paid: ChannelNetwork;
let ann: Developer;
let folder: string;
beforeAll(async () => {
  paid = await startChannelNetwork({ terms: { unsignedLimitNano: "20000", unsignedMostNano: "20000" } });
  ann = await paid.developer("ann");
  folder = await mkdtemp(join(tmpdir(), "bombyx-proxy-"));
});
afterAll(async () => {
  await paid?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

function command<T>(args: readonly string[], answer: z.ZodType<T>): { child: Child; ready: Promise<T> } {
  return startChild({
    name: "The command",
    entry: cli,
    args: [...args, "--json"],
    environment: { BOMBYX_API_KEY: ann.apiKey },
    logFile: join(folder, `${args[0]}.log`),
    ready: answer,
  });
}

it("a key is made and a wallet's link printed, the wallet pays in, and any OpenAI client is served at its expense", async () => {
  const file = join(folder, "channel.json");
  const made = command(
    [
      ...["channel", "new", file, "--gateway", paid.network.gateway.url],
      ...["--owner", ann.wallet.wallet.address.toString(), "--amount", "2"],
    ],
    z.object({ channel: z.string(), voucherKey: z.string(), transfer: z.string() }),
  );
  const { channel, transfer } = await made.ready;
  await made.child.exited;

  // What a wallet does with such a link.
  const link = new URL(transfer);
  const boc = (name: string) => Cell.fromBoc(Buffer.from(link.searchParams.get(name) ?? "", "base64url"))[0];
  const [body, init] = [boc("bin"), boc("init")];
  if (!body || !init) throw new Error("the link lacks a cell");
  const to = Address.parse(link.pathname.split("/").at(-1) ?? "");
  expect(to.toRawString()).toBe(channel);
  await ann.send({
    to,
    value: BigInt(link.searchParams.get("amount") ?? "0"),
    body,
    init: loadStateInit(init.beginParse()),
  });

  const start = () =>
    command(
      [
        ...["proxy", "--gateway", paid.network.gateway.url, "--channel", file],
        ...["--policy", paid.network.state.path("policy.js"), "--port", "0"],
      ],
      z.object({ ready: z.literal(true), url: z.url() }),
    );
  const proxy = start();
  const { url } = await proxy.ready;
  // A second one on the same file would sign with the same key.
  const second = start();
  await expect(second.ready).rejects.toThrow(/One voucher key has one signer/);

  const ask = () =>
    post({ proxy: url, apiKey: ann.apiKey }, "/chat/completions", {
      model: "spark",
      messages: user("What is the capital of France?"),
      temperature: 0,
    });
  // More than may be unsigned, one after the other: vouchers follow the receipts.
  let costNano = 0n;
  for (let n = 0; n < 12; n++) {
    const answer = z
      .object({
        choices: z.array(z.object({ message: z.object({ content: z.string() }) })),
        bombyx: z.object({ costNano: z.string() }),
      })
      .parse(await (await ask()).json());
    expect(answer.choices[0]?.message.content).toMatch(/Paris/);
    costNano += BigInt(answer.bombyx.costNano);
  }
  expect(costNano).toBeGreaterThan(20_000n);
  await proxy.child.stop(5_000);

  // Its last voucher is for everything, and its journal adds up to the same.
  const kept = await fileStore(file).read();
  expect(kept).toMatchObject({ checkedNano: `${costNano}`, signedNano: `${costNano}`, expected: [] });
  const lines = (await readFile(`${file}.receipts.jsonl`, "utf8")).trim().split("\n");
  expect(await totalOf(lines.map((line) => ownReceiptSchema.parse(JSON.parse(line))))).toBe(costNano);
  const { body: seen } = await ann.call("GET", "/v1/channels");
  expect(seen).toMatchObject({ channels: [{ spentNano: `${costNano}`, voucher: { total: `${costNano}` } }] });
});
