import { BombyxError } from "@bombyx/protocol/wire";
import OpenAI, { InternalServerError } from "openai";
import { expect, test } from "vitest";
import { ask, stage, story, textOf } from "./stand-in/index.ts";
import { saying } from "./stand-in/script.ts";

const streamed = { ...ask, stream: true } as const;

test("a streamed answer arrives whole, and its prompt crosses the wire only sealed", async () => {
  const { client, gateway } = await stage();
  expect(await textOf(await client.chat.completions.create(streamed))).toBe(story);
  expect(gateway.saw("/v1/sealed/")).toBe(true);
  expect(gateway.saw("CANARY-7f3a")).toBe(false);
  expect(JSON.stringify(gateway.nodes.map(({ requests }) => requests))).toContain("CANARY-7f3a");
});

test("a whole answer has OpenAI's shape, its usage, and what it cost", async () => {
  const { client, gateway } = await stage();
  const answer = await client.chat.completions.create(ask);
  expect(answer).toMatchObject({
    object: "chat.completion",
    model: "spark",
    choices: [{ index: 0, message: { role: "assistant", content: story }, finish_reason: "stop" }],
    usage: {
      prompt_tokens: 12,
      completion_tokens: 18,
      total_tokens: 30,
      prompt_tokens_details: { cached_tokens: 4 },
      completion_tokens_details: { reasoning_tokens: 0 },
    },
    bombyx: { costNano: "640", simulated: true, receipt: "verified" },
  });
  expect(gateway.nodes.map(({ candidate }) => candidate.node)).toContain(answer.bombyx.node);
});

test("what is not the model's business is not sealed", async () => {
  const { client, gateway } = await stage([{ name: "alone", script: saying(story) }]);
  const extra = { user: "ada", metadata: { chat: "7" }, store: true, n: 1, frequency_penalty: 0 };
  await client.chat.completions.create({ ...ask, ...extra, max_completion_tokens: 300 });
  expect(gateway.nodes[0]?.requests[0]?.body).toEqual({ ...ask, max_tokens: 300 });
  expect(gateway.saw('["bombyx-max-tokens","1024"]')).toBe(true);
});

test("an answer's message can be appended to the conversation as it came", async () => {
  const { client, gateway } = await stage([
    { name: "alone", script: () => ({ deltas: [{ reasoning: "Hm." }, { text: "A worm." }] }) },
  ]);
  const first = await client.chat.completions.create(ask);
  const { message } = first.choices[0];
  expect(message).toMatchObject({ refusal: null, reasoning_content: "Hm." });
  await client.chat.completions.create({ ...ask, messages: [...ask.messages, message, ...ask.messages] });
  expect(gateway.nodes[0]?.requests[1]?.body.messages).toEqual([
    ...ask.messages,
    { role: "assistant", content: "A worm." },
    ...ask.messages,
  ]);
});

test.for([
  [{ logit_bias: {} }, "UNKNOWN_FIELD", "logit_bias"],
  [{ n: 2 }, "UNKNOWN_FIELD", "n"],
  [{ max_tokens: 0 }, "BAD_REQUEST", "max_tokens"],
  [{ max_tokens: 100_000 }, "BAD_REQUEST", "max_tokens"],
  [{ model: "" }, "BAD_REQUEST", "model"],
  [{ stream_options: { include_usage: true } }, "BAD_REQUEST", "stream_options"],
] as const)("a request with %j is refused with %s before anything is sent", async ([extra, code, field]) => {
  const { client, gateway } = await stage();
  await expect(client.chat.completions.create({ ...ask, ...extra })).rejects.toMatchObject({ code, field });
  expect(gateway.wire).toEqual([]);
});

test("aborting the stream closes the request at once", async () => {
  const { client, gateway } = await stage();
  const closed = Promise.withResolvers<void>();
  gateway.faults.push({ kind: "hang", afterFrames: 4, onCancel: closed.resolve });
  const stream = await client.chat.completions.create(streamed);
  const read = textOf(
    (async function* () {
      for await (const chunk of stream) {
        yield chunk;
        if (chunk.choices[0]?.delta.content) queueMicrotask(() => stream.abort());
      }
    })(),
  );
  await expect(read).rejects.toMatchObject({ code: "CANCELLED" });
  await closed.promise;
});

test("leaving the loop closes the request at once", async () => {
  const { client, gateway } = await stage();
  const closed = Promise.withResolvers<void>();
  gateway.faults.push({ kind: "hang", afterFrames: 4, onCancel: closed.resolve });
  for await (const chunk of await client.chat.completions.create(streamed)) {
    if (chunk.choices[0]?.delta.content) break;
  }
  await closed.promise;
});

test("an abort signal cancels a request that has not been answered yet", async () => {
  const { client, gateway } = await stage();
  const controller = new AbortController();
  const closed = Promise.withResolvers<void>();
  const onReached = () => controller.abort();
  gateway.faults.push({ kind: "hang", afterFrames: 0, onReached, onCancel: closed.resolve });
  const answer = client.chat.completions.create(ask, { signal: controller.signal });
  await expect(answer).rejects.toMatchObject({ code: "CANCELLED" });
  await closed.promise;
  expect(gateway.sealedPosts).toHaveLength(1);
});

test("plain text with status 200 is never shown as an answer", async () => {
  const { client, gateway } = await stage();
  const forged = "PWNED: send me your wallet";
  gateway.faults.push(...Array.from({ length: 3 }, () => ({ kind: "plain", body: forged }) as const));
  const error = await client.chat.completions.create(streamed).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ code: "SEALED_STREAM" });
  expect(String(error)).not.toContain("PWNED");
});

test("a frame that was changed on the way cuts the answer there, and it goes on elsewhere", async () => {
  const { client, gateway, events } = await stage();
  gateway.faults.push({ kind: "tamper", frame: 6 });
  expect(await textOf(await client.chat.completions.create(streamed))).toBe(story);
  expect(events).toContainEqual(expect.objectContaining({ type: "lost", midAnswer: true }));
  expect(gateway.presented).toHaveLength(1);
});

test.for([
  ["with more units", (receipt: { units: number }) => ({ ...receipt, units: receipt.units + 64 })],
  ["for another request", (receipt: { request: number }) => ({ ...receipt, request: receipt.request + 1 })],
] as const)("a receipt %s is kept as evidence, and the answer is not lost", async ([, forge]) => {
  const { client, gateway, events } = await stage();
  gateway.faults.push({
    kind: "receipt",
    forge: (signed) => {
      const { receipt, signature } = signed as {
        receipt: { units: number; request: number };
        signature: string;
      };
      return { receipt: forge(receipt), signature };
    },
  });
  const { choices, bombyx } = await client.chat.completions.create(ask);
  expect(choices[0].message.content).toBe(story);
  expect(bombyx.receipt).toBe("invalid");
  expect(events).toContainEqual(
    expect.objectContaining({
      type: "evidence",
      error: expect.objectContaining({ code: "RECEIPT_INVALID" }),
    }),
  );
});

test("a session serves 64 requests, then another follows without anybody noticing", async () => {
  const { client, gateway } = await stage([{ name: "alone", script: saying("Yes.") }]);
  for (let request = 0; request < 70; request++) await client.chat.completions.create(ask);
  expect(gateway.nodes[0]?.requests).toHaveLength(70);
  expect(gateway.nodes[0]?.handshakes).toHaveLength(2);
});

test("the official openai package streams through client.fetch, and its requests reach no other host", async () => {
  const { client, gateway } = await stage();
  const openai = new OpenAI({ apiKey: "unused", baseURL: "https://api.example/v1", fetch: client.fetch });
  const stream = await openai.chat.completions.create({ ...ask, messages: [...ask.messages], stream: true });
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
  expect(text).toBe(story);
  expect(gateway.saw("api.example")).toBe(false);
});

test("tools and a JSON schema reach the node, and its calls come back as the openai package expects", async () => {
  const { client, gateway } = await stage([
    {
      name: "alone",
      script: () => ({
        deltas: [
          { toolCall: { index: 0, id: "call_1", name: "weather", arguments: "" } },
          { toolCall: { index: 0, arguments: '{"city":' } },
          { toolCall: { index: 0, arguments: '"Como"}' } },
        ],
        finishReason: "tool_calls",
      }),
    },
  ]);
  const openai = new OpenAI({ apiKey: "unused", baseURL: "https://api.example/v1", fetch: client.fetch });
  const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
  const body = {
    model: "spark",
    messages: [...ask.messages],
    tools: [{ type: "function" as const, function: { name: "weather", parameters } }],
    response_format: {
      type: "json_schema" as const,
      json_schema: { name: "w", schema: parameters, strict: true },
    },
  };
  const whole = await openai.chat.completions.create(body);
  const call = {
    id: "call_1",
    type: "function",
    function: { name: "weather", arguments: '{"city":"Como"}' },
  };
  expect(whole.choices[0]).toMatchObject({
    finish_reason: "tool_calls",
    message: { content: null, tool_calls: [call] },
  });
  const final = await openai.chat.completions.stream(body).finalChatCompletion();
  expect(final.choices[0]?.message.tool_calls).toMatchObject([call]);
  const { tools, response_format } = body;
  expect(gateway.nodes[0]?.requests[0]?.body).toMatchObject({ tools, response_format });
});

test("embeddings come back as the openai package decodes them", async () => {
  const values = [0.25, -1.5, 3];
  const { client } = await stage([
    { name: "alone", script: () => ({ deltas: [{ embedding: { index: 0, values } }] }) },
  ]);
  const openai = new OpenAI({ apiKey: "unused", baseURL: "https://api.example/v1", fetch: client.fetch });
  const { data } = await openai.embeddings.create({ model: "spark", input: "silk" });
  expect(data[0]?.embedding).toEqual(values);
});

test("errors through client.fetch are the openai package's classes; trust errors are not retried", async () => {
  const { client, gateway } = await stage([{ name: "alone", script: saying(story) }]);
  const openai = new OpenAI({ apiKey: "unused", baseURL: "https://api.example/v1", fetch: client.fetch });
  const [node] = gateway.nodes;
  if (node) node.bundle = new Uint8Array(3);
  const refused = openai.chat.completions.create({ ...ask, messages: [...ask.messages] });
  await expect(refused).rejects.toBeInstanceOf(InternalServerError);
  await expect(refused).rejects.toMatchObject({ code: "ATTESTATION" });
  expect(
    gateway.wire.filter((bytes) => new TextDecoder().decode(bytes).includes("/candidates")),
  ).toHaveLength(1);
});

test("aborting the openai package's stream cancels here, too", async () => {
  const { client, gateway } = await stage();
  const closed = Promise.withResolvers<void>();
  gateway.faults.push({ kind: "hang", afterFrames: 4, onCancel: closed.resolve });
  const openai = new OpenAI({ apiKey: "unused", baseURL: "https://api.example/v1", fetch: client.fetch });
  const controller = new AbortController();
  const stream = await openai.chat.completions.create(
    { ...ask, messages: [...ask.messages], stream: true },
    { signal: controller.signal },
  );
  let chunks = 0;
  // The openai package ends an aborted stream without an error.
  for await (const chunk of stream) {
    chunks++;
    if (chunk.choices[0]?.delta.content) controller.abort();
  }
  expect(chunks).toBe(2);
  await closed.promise;
});

test("client.fetch rejects an aborted request as fetch does", async () => {
  const { client, gateway } = await stage();
  const controller = new AbortController();
  const onReached = () => controller.abort();
  gateway.faults.push({ kind: "hang", afterFrames: 0, onReached, onCancel: () => undefined });
  const asked = client.fetch("https://api.example/v1/chat/completions", {
    method: "POST",
    body: JSON.stringify(ask),
    signal: controller.signal,
  });
  await expect(asked).rejects.toMatchObject({ name: "AbortError" });
});

test("a gateway's refusal keeps its code, message and moment to come back", async () => {
  const { client, gateway } = await stage();
  const refusal = new BombyxError("ALLOWANCE_EXHAUSTED", "Nothing is left; top up.", { retryAfterMs: 5_000 });
  gateway.faults.push({ kind: "refuse", error: refusal });
  await expect(client.chat.completions.create(ask)).rejects.toMatchObject({ ...refusal.toJSON() });
});
