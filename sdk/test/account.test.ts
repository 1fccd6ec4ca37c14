import { BombyxClient, exchangeInitData } from "@bombyx/sdk";
import { expect, test } from "vitest";
import { ask, stage, story } from "./stand-in/index.ts";
import { saying } from "./stand-in/script.ts";

test("init data is exchanged for a token that serves as a key, asked for anew before each request", async () => {
  const { gateway } = await stage();
  const exchange = { gateway: gateway.url, botId: 7, fetch: gateway.fetch };
  let asked = 0;
  const apiKey = async () => {
    asked++;
    return (await exchangeInitData({ ...exchange, initData: "genuine 7" })).token;
  };
  const { client } = await stage(undefined, { gateway: gateway.url, fetch: gateway.fetch, apiKey });
  expect((await client.models.list()).data.map(({ id }) => id)).toEqual(["spark"]);
  await client.models.list();
  expect(asked).toBe(2);
});

test("forged init data is refused with the gateway's own code", async () => {
  const { gateway } = await stage();
  const exchange = { gateway: gateway.url, botId: 7, initData: "genuine 8", fetch: gateway.fetch };
  await expect(exchangeInitData(exchange)).rejects.toMatchObject({ code: "INIT_DATA_INVALID" });
});

test("a key that the gateway does not know is refused, and the key stands in no URL", async () => {
  const { gateway } = await stage();
  const { client } = await stage(undefined, {
    gateway: gateway.url,
    fetch: gateway.fetch,
    apiKey: "bx-wrong",
  });
  await expect(client.chat.completions.create(ask)).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
  const lines = gateway.wire.map((bytes) => new TextDecoder().decode(bytes));
  expect(lines.some((line) => line.includes("Bearer bx-wrong"))).toBe(true);
  expect(lines.some((line) => line.split(" ")[1]?.includes("bx-wrong"))).toBe(false);
});

test("a key goes over http to this machine alone, and to another only when the caller says so", async () => {
  const { gateway } = await stage();
  const gatewayAt = (url: string, allowHttp?: boolean) =>
    new BombyxClient({ gateway: url, apiKey: "bx", fetch: gateway.fetch, ...(allowHttp && { allowHttp }) });
  const refusal = expect.objectContaining({ code: "BAD_REQUEST", field: "gateway" });
  expect(() => gatewayAt("http://gateway.test")).toThrowError(refusal);
  const exchange = { gateway: "http://gateway.test", botId: 7, initData: "genuine 7", fetch: gateway.fetch };
  await expect(exchangeInitData(exchange)).rejects.toEqual(refusal);
  expect(gateway.wire).toEqual([]);
  gatewayAt("http://127.0.0.1:8780").close();
  gatewayAt("http://gateway.test", true).close();
});

test("a bot's client says for whom it asks, in the clear header alone", async () => {
  const { client, gateway } = await stage(undefined, { telegramUser: "4242" });
  const { choices } = await client.chat.completions.create(ask);
  expect(choices[0].message.content).toBe(story);
  expect(gateway.saw('["bombyx-user","4242"]')).toBe(true);
  expect(JSON.stringify(gateway.nodes.map(({ requests }) => requests))).not.toContain("4242");
});

test("a node that asks a multiple of the price gets no prompt, however well the gateway speaks of it", async () => {
  const greedy = { name: "greedy", score: 1e6, coefficient: 100_000, script: saying(story) };
  const { client, gateway } = await stage([greedy, { name: "fair", score: 1e-6, script: saying(story) }]);
  const { bombyx } = await client.chat.completions.create(ask);
  expect(bombyx.node).toBe(gateway.nodes[1]?.candidate.node);
  expect(gateway.nodes[0]?.requests).toEqual([]);
});

test("a dear node serves who pays for it, and nobody else", async () => {
  const dear = { name: "dear", coefficient: 3_000, script: saying(story) };
  const { client, gateway } = await stage([dear]);
  await expect(client.chat.completions.create(ask)).rejects.toMatchObject({
    code: "NO_CANDIDATE",
    field: "maxCoefficient",
  });
  expect(gateway.saw("/sessions")).toBe(false);
  const generous = await stage([dear], { maxCoefficient: 3_000 });
  expect((await generous.client.chat.completions.create(ask)).choices[0].message.content).toBe(story);
});
