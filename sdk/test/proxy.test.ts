import { request } from "node:http";
import { BombyxError } from "@bombyx/protocol/wire";
import { type RunningProxy, startProxy } from "@bombyx/sdk/proxy";
import OpenAI, { AuthenticationError, BadRequestError, NotFoundError } from "openai";
import { afterEach, expect, test } from "vitest";
import type { Fault } from "./stand-in/gateway.ts";
import { ask, type Stage, stage, story } from "./stand-in/index.ts";
import { saying } from "./stand-in/script.ts";

const open: RunningProxy[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((proxy) => proxy.close()));
});

async function proxied(stageOf: Promise<Stage> = stage(), options: { graceMs?: number } = {}) {
  const { gateway, world } = await stageOf;
  const proxy = await startProxy({
    gateway: gateway.url,
    apiKey: gateway.apiKey,
    policy: { ...world.policy(), tickMs: 0 },
    fetch: gateway.fetch,
    ...options,
  });
  open.push(proxy);
  const openai = new OpenAI({ baseURL: proxy.url, apiKey: gateway.apiKey, maxRetries: 0 });
  return { gateway, proxy, openai };
}

/** A raw request, because fetch does not let a test set Host or Origin. */
function raw(
  url: string,
  headers: Record<string, string>,
  body = "",
): Promise<{ status: number; headers: Record<string, unknown>; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: body === "" ? "GET" : "POST", headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

test("the official openai package streams through the proxy", async () => {
  const { openai } = await proxied();
  const stream = await openai.chat.completions.create({
    model: ask.model,
    messages: [...ask.messages],
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = "";
  let usage: OpenAI.CompletionUsage | null | undefined;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? "";
    usage = chunk.usage ?? usage;
  }
  expect(text).toBe(story);
  expect(usage).toMatchObject({ prompt_tokens: 12, prompt_tokens_details: { cached_tokens: 4 } });
});

test("models, plain completions and embeddings answer through the proxy", async () => {
  const { gateway, openai } = await proxied();
  expect((await openai.models.list()).data.map(({ id }) => id)).toEqual(["spark"]);
  expect((await openai.models.retrieve("spark")).id).toBe("spark");
  const { choices } = await openai.completions.create({ model: "spark", prompt: "Who spins?" });
  expect(choices[0]?.text).toBe(story);
  for (const node of gateway.nodes) {
    node.script = ({ body }) => ({
      deltas: (body.input as string[]).map((_, index) => ({ embedding: { index, values: [index, 0.5] } })),
    });
  }
  const { data } = await openai.embeddings.create({ model: "spark", input: ["a", "b"] });
  expect(data.map(({ embedding }) => embedding)).toEqual([
    [0, 0.5],
    [1, 0.5],
  ]);
});

test("errors arrive as the openai package's own error classes", async () => {
  const { openai, proxy } = await proxied();
  const refused = openai.chat.completions.create({ model: "nobody", messages: [...ask.messages] });
  await expect(refused).rejects.toBeInstanceOf(NotFoundError);
  await expect(refused).rejects.toMatchObject({ code: "MODEL_UNKNOWN" });
  const stranger = new OpenAI({ baseURL: proxy.url, apiKey: "wrong", maxRetries: 0 });
  const wrongKey = stranger.models.list();
  await expect(wrongKey).rejects.toBeInstanceOf(AuthenticationError);
  await expect(wrongKey).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
});

test("an unknown field is refused by name before anything is sent", async () => {
  const { openai, gateway } = await proxied();
  const body = { model: "spark", messages: [...ask.messages], logit_bias: { 5: -100 } };
  const refused = openai.chat.completions.create(body);
  await expect(refused).rejects.toBeInstanceOf(BadRequestError);
  await expect(refused).rejects.toMatchObject({ code: "UNKNOWN_FIELD", param: "logit_bias" });
  expect(gateway.wire).toEqual([]);
});

test("another host name, a web page and a missing key are refused; a program with the key is served", async () => {
  const { proxy, gateway } = await proxied();
  const key = { authorization: `Bearer ${gateway.apiKey}` };
  const { port } = new URL(proxy.url);
  const url = `${proxy.url}/models`;
  const outcome = async (headers: Record<string, string>) => {
    const { status, text } = await raw(url, headers);
    return [status, (JSON.parse(text) as { error?: { code: string } }).error?.code];
  };
  expect(await outcome({ ...key, host: `evil.example:${port}` })).toEqual([421, "HOST_REFUSED"]);
  expect(await outcome({ ...key, host: "127.0.0.1:1" })).toEqual([421, "HOST_REFUSED"]);
  expect(await outcome({ ...key, origin: "https://evil.example" })).toEqual([403, "FORBIDDEN"]);
  expect(await outcome({ ...key, origin: "null" })).toEqual([403, "FORBIDDEN"]);
  expect(await outcome({ ...key, "sec-fetch-site": "cross-site" })).toEqual([403, "FORBIDDEN"]);
  expect(await outcome({})).toEqual([401, "UNAUTHENTICATED"]);
  expect(await outcome({ authorization: `Bearer ${gateway.apiKey}x` })).toEqual([401, "UNAUTHENTICATED"]);
  for (const host of ["127.0.0.1", "localhost", "[::1]"]) {
    expect(await outcome({ ...key, host: `${host}:${port}` })).toEqual([200, undefined]);
  }
});

test("no answer of the proxy carries a CORS header", async () => {
  const { proxy, gateway } = await proxied();
  const served = await raw(`${proxy.url}/models`, { authorization: `Bearer ${gateway.apiKey}` });
  const refused = await raw(`${proxy.url}/models`, { origin: "https://evil.example" });
  expect(served.status).toBe(200);
  for (const { headers } of [served, refused]) {
    expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
  }
});

test("a body that is too large, not JSON, or on an unknown path is refused in words", async () => {
  const { proxy, gateway } = await proxied();
  const key = { authorization: `Bearer ${gateway.apiKey}` };
  const post = async (path: string, body: string) => {
    const { status, text } = await raw(`${proxy.url}${path}`, key, body);
    return [status, (JSON.parse(text) as { error: { code: string } }).error.code];
  };
  expect(await post("/chat/completions", "x".repeat(1_100_000))).toEqual([413, "BODY_TOO_LARGE"]);
  expect(await post("/chat/completions", "{")).toEqual([400, "BAD_REQUEST"]);
  expect(await post("/images", "{}")).toEqual([404, "NOT_FOUND"]);
  expect(await post("/models", "{}")).toEqual([405, "METHOD_NOT_ALLOWED"]);
});

test("a caller that hangs up cancels the request at the gateway", async () => {
  const { openai, gateway } = await proxied();
  const cancelled = Promise.withResolvers<void>();
  gateway.faults.push({ kind: "hang", afterFrames: 3, onCancel: cancelled.resolve });
  const stream = await openai.chat.completions.create({
    model: "spark",
    messages: [...ask.messages],
    stream: true,
  });
  for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
  await cancelled.promise;
});

test("closing lets a running answer finish", async () => {
  const { openai, proxy } = await proxied();
  const stream = await openai.chat.completions.create({
    model: "spark",
    messages: [...ask.messages],
    stream: true,
  });
  const closed = proxy.close();
  open.splice(0);
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
  expect(text).toBe(story);
  await closed;
});

test("closing cancels an answer that does not end", async () => {
  const { openai, gateway, proxy } = await proxied(stage(), { graceMs: 0 });
  const cancelled = Promise.withResolvers<void>();
  gateway.faults.push({ kind: "hang", afterFrames: 3, onCancel: cancelled.resolve });
  const stream = await openai.chat.completions.create({
    model: "spark",
    messages: [...ask.messages],
    stream: true,
  });
  await proxy.close();
  open.splice(0);
  await cancelled.promise;
  const read = async () => {
    for await (const _ of stream);
  };
  await expect(read()).rejects.toThrow();
});

test("an answer that breaks off for good ends in an error event, never in [DONE]", async () => {
  const lost: Fault[] = Array.from({ length: 3 }, () => ({ kind: "tamper", frame: 3 }));
  const { proxy, gateway } = await proxied(stage([{ name: "alone", script: saying(story) }]));
  gateway.faults.push(...lost);
  const body = JSON.stringify({ ...ask, stream: true });
  const { text } = await raw(
    `${proxy.url}/chat/completions`,
    { authorization: `Bearer ${gateway.apiKey}` },
    body,
  );
  expect(text).toContain('"code":"TRUNCATED"');
  expect(text).not.toContain("[DONE]");
});

test("a busy gateway's refusal says when to come back", async () => {
  const { proxy, gateway } = await proxied();
  gateway.faults.push({
    kind: "refuse",
    error: new BombyxError("QUEUE_FULL", "Full.", { retryAfterMs: 1_200 }),
  });
  const answer = await raw(
    `${proxy.url}/chat/completions`,
    { authorization: `Bearer ${gateway.apiKey}` },
    JSON.stringify(ask),
  );
  expect(answer.status).toBe(429);
  expect(answer.headers).toMatchObject({ "retry-after": "2", "x-should-retry": "true" });
});
