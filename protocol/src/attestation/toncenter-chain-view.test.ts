import { describe, expect, test } from "vitest";
import { toBase64 } from "../wire/encoding.ts";
import { toncenterChainView } from "./index.ts";

const rootHash = new Uint8Array(32).fill(0xab);
const header = (seqno: number, change: object = {}) => ({
  "@type": "blocks.header",
  id: { "@type": "ton.blockIdExt", workchain: -1, seqno, root_hash: toBase64(rootHash), file_hash: "" },
  gen_utime: 1_790_000_000,
  ...change,
});
const ok = (result: object) => Response.json({ ok: true, result });
const absent = () =>
  Response.json({ ok: false, error: "LITE_SERVER_NOTREADY: block is not found" }, { status: 500 });

type Endpoint = (method: string, seqno: number) => Response | Promise<Response>;
const honest: Endpoint = (method, seqno) =>
  method === "getMasterchainInfo" ? ok({ last: { seqno: 70 } }) : seqno > 70 ? absent() : ok(header(seqno));
const down: Endpoint = () => Promise.reject(new TypeError("network"));
const silent: Endpoint = () => new Promise(() => undefined);
const lying: Endpoint = (_, seqno) => ok(header(seqno, { gen_utime: 1_790_000_001 }));

function viewOf(...answers: readonly Endpoint[]) {
  const asked: string[] = [];
  const view = toncenterChainView({
    endpoints: answers.map((_, i) => `https://chain${i}.example/api/v2`),
    chain: "ton",
    fetch: async (address) => {
      asked.push(address);
      const url = new URL(address);
      const answer = answers[Number(/\d/.exec(url.hostname)?.[0])];
      if (answer === undefined) throw new Error("unknown endpoint");
      return answer(url.pathname.split("/").at(-1) ?? "", Number(url.searchParams.get("seqno")));
    },
  });
  return { view, asked };
}
const noAgreement = { name: "AttestationError", reason: "CHAIN_VIEW", step: "statement" };

describe("a block", () => {
  const block = { chain: "ton", seqno: 7, hash: "ab".repeat(32), at: 1_790_000_000_000 };

  test("is what two endpoints say it is", async () => {
    const { view, asked } = viewOf(honest, honest);
    expect(await view.block(7)).toEqual(block);
    expect(asked[0]).toBe(
      "https://chain0.example/api/v2/getBlockHeader?workchain=-1&shard=-9223372036854775808&seqno=7",
    );
  });

  test("needs two voices: one endpoint, one twice, one down or one lying is not enough", async () => {
    await expect(viewOf(honest).view.block(7)).rejects.toMatchObject(noAgreement);
    await expect(viewOf().view.block(7)).rejects.toMatchObject(noAgreement);
    await expect(viewOf(honest, down).view.block(7)).rejects.toMatchObject(noAgreement);
    await expect(viewOf(honest, lying).view.block(7)).rejects.toMatchObject(noAgreement);
    const twice = toncenterChainView({
      endpoints: ["https://one.example", "https://one.example"],
      chain: "ton",
      fetch: async () => ok(header(7)),
    });
    await expect(twice.block(7)).rejects.toMatchObject(noAgreement);
  });

  test("survives one endpoint of three that is down, silent or lying", async () => {
    for (const third of [down, silent, lying]) {
      expect(await viewOf(third, honest, honest).view.block(7)).toEqual(block);
    }
  });

  test("that two endpoints do not have is undefined; that one does not have is no agreement", async () => {
    expect(await viewOf(honest, honest).view.block(71)).toBeUndefined();
    await expect(viewOf(honest, absent).view.block(7)).rejects.toMatchObject(noAgreement);
  });

  test.each<[string, Endpoint]>([
    ["another block", () => ok(header(8))],
    ["a block of another workchain", () => ok(header(7, { id: { ...header(7).id, workchain: 0 } }))],
    ["a short hash", () => ok(header(7, { id: { ...header(7).id, root_hash: "AAAA" } }))],
    ["HTML", () => new Response("<html>")],
    ["an error that is not about the block", () => Response.json({ ok: false, error: "rate limit" })],
  ])("answered with %s does not count", (_, odd) =>
    expect(viewOf(odd, odd).view.block(7)).rejects.toMatchObject(noAgreement),
  );
});

test("the latest block is one that two endpoints have reached", async () => {
  const ahead: Endpoint = (method, seqno) =>
    method === "getMasterchainInfo" ? ok({ last: { seqno: 90 } }) : ok(header(seqno));
  expect((await viewOf(honest, ahead).view.latest()).seqno).toBe(70);
  expect((await viewOf(ahead, honest, ahead).view.latest()).seqno).toBe(90);
  await expect(viewOf(honest, down).view.latest()).rejects.toMatchObject(noAgreement);
});
