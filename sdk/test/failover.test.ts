import { billedUnits } from "@bombyx/protocol/receipt";
import { BombyxError } from "@bombyx/protocol/wire";
import type { ChatCompletionChunk } from "@bombyx/sdk";
import { expect, test } from "vitest";
import { ask, stage, story, textOf } from "./stand-in/index.ts";
import { type Script, saying } from "./stand-in/script.ts";

const streamed = { ...ask, stream: true } as const;

test("a node lost before the first token is invisible: the standby answers at once", async () => {
  const { client, gateway, events } = await stage();
  await client.prepare(ask);
  gateway.faults.push({ kind: "lose", afterFrames: 1 });
  expect(await textOf(await client.chat.completions.create(streamed))).toBe(story);
  expect(new Set(gateway.sealedPosts.map(({ node }) => node))).toEqual(new Set(["alpha", "beta"]));
  expect(gateway.sealedPosts.map(({ lostAttempt }) => lostAttempt)).toEqual([null, null]);
  expect(gateway.presented).toEqual([]);
  expect(events.filter(({ type }) => type === "lost")).toHaveLength(1);
});

test.for(Array.from({ length: 10 }, (_, index) => index + 2))(
  "a node lost after frame %i leaves one continuous answer and one receipt for what arrived",
  async (afterFrames) => {
    const { client, gateway } = await stage();
    gateway.faults.push({ kind: "lose", afterFrames });
    const chunks: ChatCompletionChunk[] = [];
    const stream = await client.chat.completions.create({
      ...streamed,
      stream_options: { include_usage: true },
    });
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("")).toBe(story);
    expect(chunks.filter(({ choices }) => choices[0]?.delta.role)).toHaveLength(1);

    const arrived = afterFrames - 1;
    const words = story.split(" ").length;
    const [receipt, ...others] = gateway.presented;
    expect(others).toEqual([]);
    expect(receipt).toMatchObject({ finish: "running", frames: afterFrames - 1 });
    const [first, second] = gateway.sealedPosts;
    expect(second).toMatchObject({
      lostAttempt: `${receipt?.session}/${receipt?.request}`,
      continuation: true,
    });
    expect(second?.node).not.toBe(first?.node);
    const again = gateway.nodes
      .flatMap(({ requests }) => requests)
      .find(({ prefix }) => prefix !== undefined);
    expect(again?.prefix).toBe(`${story.split(" ").slice(0, arrived).join(" ")} `);
    expect(again?.body.max_tokens).toBe(1_024 - arrived);

    // As if uninterrupted: the prompt once, every token once.
    expect(chunks.at(-1)?.usage).toMatchObject({ prompt_tokens: 12, completion_tokens: words });
    const prompt = { promptTokens: 12, cachedTokens: 4, reasoningTokens: 0 };
    const units = (completionTokens: number, continuation: boolean) =>
      billedUnits({ ...prompt, completionTokens, continuation }, 1_000, gateway.price);
    expect(receipt?.units).toBe(units(arrived, false));
    const cost = units(arrived, false) + units(words - arrived, true);
    expect(chunks.at(-2)?.bombyx).toMatchObject({ costNano: String(cost * 10), receipt: "verified" });
    expect(cost).toBeLessThanOrEqual(units(words, false));
  },
);

test("a cut connection is resumed at the next frame while the node lives", async () => {
  const { client, gateway } = await stage();
  gateway.faults.push({ kind: "cut", afterFrames: 5 });
  expect(await textOf(await client.chat.completions.create(streamed))).toBe(story);
  expect(gateway.resumptions).toBe(1);
  expect(gateway.sealedPosts).toHaveLength(1);
  expect(gateway.presented).toEqual([]);
});

test("a cut that the gateway took for a cancel is continued behind what the node had said by then", async () => {
  const { client, gateway } = await stage();
  gateway.faults.push({ kind: "hangup", afterFrames: 5 });
  expect(await textOf(await client.chat.completions.create(streamed))).toBe(story);
  expect(gateway.resumptions).toBe(1);
  const again = gateway.nodes.flatMap(({ requests }) => requests).find(({ prefix }) => prefix !== undefined);
  expect(again?.prefix).toBe(`${story.split(" ").slice(0, 6).join(" ")} `);
});

test("a stream that ends early without a word is continued, too", async () => {
  const { client, gateway } = await stage();
  gateway.faults.push({ kind: "end", afterFrames: 4 });
  expect(await textOf(await client.chat.completions.create(streamed))).toBe(story);
  expect(gateway.presented).toHaveLength(1);
});

test("a lost POST is repeated with the same id and bytes", async () => {
  const { client, gateway } = await stage();
  gateway.faults.push({ kind: "unreachable" });
  expect(await textOf(await client.chat.completions.create(streamed))).toBe(story);
  const posts = gateway.wire
    .map((bytes) => new TextDecoder().decode(bytes))
    .filter((line) => line.startsWith("POST https://gateway.test/v1/sealed/"));
  expect(posts).toHaveLength(2);
  expect(posts[0]).toBe(posts[1]);
});

test("a busy node's answer leads to the node that it names", async () => {
  const { client, gateway } = await stage([
    { name: "busy", score: 1_000_000, script: saying(story) },
    { name: "other", score: 0.000_001, script: saying(story) },
    { name: "named", score: 0.000_001, script: saying(story) },
  ]);
  const named = gateway.nodes.find(({ candidate }) => candidate.name === "named");
  gateway.faults.push({
    kind: "refuse",
    error: new BombyxError("NODE_BUSY", "All slots are taken.", { instead: named?.candidate.node ?? "" }),
  });
  expect(await textOf(await client.chat.completions.create(streamed))).toBe(story);
  expect(gateway.sealedPosts.map(({ node }) => node)).toEqual(["named"]);
});

test.for(["EPOCH", "REATTEST", "SESSION_UNKNOWN", "PRICE_UNKNOWN"] as const)(
  "%s opens a new session by itself and sends again",
  async (code) => {
    const { client, gateway } = await stage([{ name: "alone", script: saying(story) }]);
    const verdict = await client.prepare(ask);
    gateway.faults.push({ kind: "refuse", error: new BombyxError(code, "Over.") });
    expect(await textOf(await client.chat.completions.create(streamed))).toBe(story);
    expect(gateway.nodes[0]?.handshakes).toHaveLength(2);
    expect(client.verdict(ask)?.attestationId).toBe(verdict.attestationId);
  },
);

test("a gateway that forgot session and standby costs two handshakes, not the answer", async () => {
  const { client, gateway } = await stage();
  await client.prepare(ask);
  const forgotten = new BombyxError("SESSION_UNKNOWN", "Restarted.");
  gateway.faults.push({ kind: "refuse", error: forgotten }, { kind: "refuse", error: forgotten });
  const used = new BombyxError("ALREADY_USED", "Answered before.", { field: "idempotencyId" });
  gateway.faults.push({ kind: "refuse", error: used });
  expect(await textOf(await client.chat.completions.create(streamed))).toBe(story);
});

test("an EPOCH that comes sealed from the node is handled alike", async () => {
  const { client, gateway } = await stage([{ name: "alone", script: saying(story) }]);
  const [node] = gateway.nodes;
  if (!node) throw new Error("no node");
  node.script = () => {
    node.script = saying(story);
    throw new BombyxError("EPOCH", "This epoch takes no new requests.");
  };
  expect(await textOf(await client.chat.completions.create(streamed))).toBe(story);
  expect(node.handshakes).toHaveLength(2);
});

test("an answer that no node can finish ends with TRUNCATED after what was delivered", async () => {
  const { client, gateway } = await stage();
  gateway.faults.push({ kind: "lose", afterFrames: 4 }, { kind: "lose", afterFrames: 3 });
  const stream = await client.chat.completions.create(streamed);
  let text = "";
  const read = async () => {
    for await (const { choices } of stream) text += choices[0]?.delta.content ?? "";
  };
  await expect(read()).rejects.toMatchObject({ code: "TRUNCATED" });
  expect(text).toBe(`${story.split(" ").slice(0, 5).join(" ")} `);
  expect(gateway.presented).toHaveLength(2);
});

test("when all nodes are gone before the first token the error says so", async () => {
  const { client, gateway } = await stage();
  gateway.faults.push({ kind: "lose", afterFrames: 0 }, { kind: "lose", afterFrames: 0 });
  await expect(client.chat.completions.create(streamed)).rejects.toMatchObject({ code: "NODE_OFFLINE" });
});

test("the node's own refusal is passed on, not tried elsewhere", async () => {
  const { client, gateway } = await stage();
  for (const node of gateway.nodes) {
    node.script = () => {
      throw new BombyxError("CONTEXT_TOO_LONG", "The prompt has 3000 tokens, the model takes 2048.");
    };
  }
  await expect(client.chat.completions.create(ask)).rejects.toMatchObject({ code: "CONTEXT_TOO_LONG" });
  expect(gateway.sealedPosts).toHaveLength(1);
});

test("an answer in JSON is one continuous document", async () => {
  const json = '{ "colour": "gold", "weight": 12 }';
  const script = saying(json);
  const { client, gateway } = await stage([
    { name: "a", script },
    { name: "b", script },
  ]);
  gateway.faults.push({ kind: "lose", afterFrames: 4 });
  const response_format = { type: "json_object" } as const;
  expect(await textOf(await client.chat.completions.create({ ...streamed, response_format }))).toBe(json);
  expect(gateway.presented).toHaveLength(1);
});

const calling: Script = () => ({
  deltas: [
    { text: "Let me look. " },
    { toolCall: { index: 0, id: "call_1", name: "weather", arguments: '{"city":' } },
    { toolCall: { index: 0, arguments: '"Como"}' } },
  ],
  finishReason: "tool_calls",
});

test("a tool call that broke in view of the caller is not glued together", async () => {
  const { client, gateway } = await stage([
    { name: "a", script: calling },
    { name: "b", script: calling },
  ]);
  gateway.faults.push({ kind: "lose", afterFrames: 3 });
  const stream = await client.chat.completions.create(streamed);
  await expect(textOf(stream)).rejects.toMatchObject({ code: "TRUNCATED" });
  expect(gateway.presented).toHaveLength(1);
});

test("a tool call that nobody has seen yet begins anew on the standby", async () => {
  const { client, gateway } = await stage([
    { name: "a", script: calling },
    { name: "b", script: calling },
  ]);
  gateway.faults.push({ kind: "lose", afterFrames: 3 });
  const { choices, usage } = await client.chat.completions.create(ask);
  expect(choices[0].message).toMatchObject({
    content: "Let me look. ",
    tool_calls: [{ id: "call_1", function: { name: "weather", arguments: '{"city":"Como"}' } }],
  });
  expect(gateway.sealedPosts[1]).toMatchObject({ continuation: true });
  expect(usage).toMatchObject({ prompt_tokens: 10, completion_tokens: 5 });
});

test("embeddings of a lost node are computed whole by another", async () => {
  const script: Script = () => ({
    deltas: [0, 1, 2].map((index) => ({ embedding: { index, values: [index] } })),
  });
  const { client, gateway } = await stage([
    { name: "a", script },
    { name: "b", script },
  ]);
  gateway.faults.push({ kind: "lose", afterFrames: 3 });
  const { data } = await client.embeddings.create({ model: "spark", input: ["a", "b", "c"] });
  expect(data.map(({ embedding }) => embedding)).toEqual([[0], [1], [2]]);
  expect(gateway.presented).toEqual([]);
});

test("reasoning that was shown is not shown twice", async () => {
  const { client, gateway } = await stage();
  for (const node of gateway.nodes) {
    node.script = () => ({ deltas: [{ reasoning: "Hm. " }, { reasoning: "Silk. " }, { text: "A worm." }] });
  }
  gateway.faults.push({ kind: "lose", afterFrames: 2 });
  let reasoning = "";
  let text = "";
  for await (const { choices } of await client.chat.completions.create(streamed)) {
    reasoning += choices[0]?.delta.reasoning_content ?? "";
    text += choices[0]?.delta.content ?? "";
  }
  expect([reasoning, text]).toEqual(["Hm. ", "A worm."]);
});
