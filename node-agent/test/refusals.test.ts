import type { Price, RequestHead, SealedRequest } from "@bombyx/protocol/wire";
import { expect, it } from "vitest";
import type { Client } from "./client.ts";
import { price } from "./fake-gateway.ts";
import { World } from "./world.ts";

type Body = Record<string, unknown>;

/** Sends a request that the node must refuse. @returns the sealed reason, and what the gateway is told. */
async function refusal(
  client: Client,
  body: Body = {},
  inner: Partial<SealedRequest> = {},
  head: Partial<RequestHead> = {},
) {
  const request = client.seal(body, inner, head);
  const stream = client.send(request);
  const reader = client.reader(request);
  while (!reader.final) reader.read((await stream.frame()).sealed);
  return { error: reader.error, clear: await stream.failed(), receipts: stream.receipts };
}

const other = "ee".repeat(16);

it.each<[string, Partial<SealedRequest>, Partial<RequestHead>, string]>([
  ["another idempotency id", {}, { idempotencyId: other }, "idempotencyId"],
  ["another price", {}, { priceId: other }, "priceId"],
  ["a coefficient that is not this node's", { coefficient: 900 }, {}, "coefficient"],
  ["a declared maximum outside the buckets", {}, { maxTokens: 300 }, "maxTokens"],
  ["a higher cap", {}, { capUnits: 1_000_000 }, "capUnits"],
  ["a lower cap", {}, { capUnits: 64 }, "capUnits"],
  ["a continuation that the client did not ask for", {}, { continuation: true }, "continuation"],
])("refuses, sealed and unbilled, what disagrees with the clear: %s", async (_, inner, head, field) => {
  await using world = await World.start();
  const client = await world.client();
  const { error, clear, receipts } = await refusal(client, {}, inner, head);
  expect(error).toMatchObject({ code: "DISAGREEMENT", field });
  // The gateway learns that it was refused, not why.
  expect(clear).toEqual({ code: "BAD_REQUEST", message: expect.stringContaining("sealed to the client") });
  expect(receipts).toEqual([]);
  expect(world.engine.jobs.here).toEqual([]);

  const untampered = client.send(client.seal());
  await world.engine.jobs.next();
  world.clock.advance(80);
  await untampered.frame();
});

it("refuses a maximum of tokens above the declared one", async () => {
  await using world = await World.start();
  const client = await world.client();
  const { error } = await refusal(client, { max_tokens: 257 });
  expect(error).toMatchObject({ code: "DISAGREEMENT", field: "max_tokens" });
  client.send(client.seal({ max_tokens: 256 }));
  expect((await world.engine.jobs.next()).job).toMatchObject({ maxTokens: 256 });
});

it("refuses a price it was never told, even when both sides agree on it", async () => {
  await using world = await World.start();
  const { error } = await refusal(await world.client(), {}, { priceId: other });
  expect(error).toMatchObject({ code: "PRICE_UNKNOWN" });
});

it("takes no price row whose id is not the hash of its content", async () => {
  const forged: Price = { ...price, id: other, nanoPerUnit: 1n };
  await using world = await World.start();
  world.gateway.sendControl({
    t: "attested",
    attestationId: world.admission.attestationId,
    prices: [{ ...forged, nanoPerUnit: "1" }],
  });
  await world.gateway.roundTrip();
  const { error } = await refusal(await world.client(), {}, { priceId: other });
  expect(error).toMatchObject({ code: "PRICE_UNKNOWN" });
});

it("refuses a prompt above the cap before inference, unbilled", async () => {
  await using world = await World.start();
  const client = await world.client();
  world.engine.promptTokens = 57;
  // 64 units: 56 for the prompt and eight for one token.
  const { error, clear, receipts } = await refusal(client, {}, { ceilingUnits: 64 });
  expect(error).toMatchObject({ code: "CAP" });
  expect(clear.code).toBe("BAD_REQUEST");
  expect(receipts).toEqual([]);
  world.engine.promptTokens = 56;
  client.send(client.seal({}, { ceilingUnits: 64 }));
  await world.engine.jobs.next();
});

it("refuses a ceiling that pays for no token", async () => {
  await using world = await World.start();
  const { error } = await refusal(await world.client(), {}, { ceilingUnits: 7 });
  expect(error).toMatchObject({ code: "CAP" });
});

it.each<[string, Body, string, string]>([
  ["an unknown field", { logit_bias: { 5: 1 } }, "UNKNOWN_FIELD", "logit_bias"],
  ["another model", { model: "other" }, "MODEL_UNKNOWN", "model"],
  ["an empty turn", { messages: [{ role: "user", content: " \n" }] }, "BAD_REQUEST", "messages[0].content"],
])("says in the sealed answer which field is wrong: %s", async (_, body, code, field) => {
  await using world = await World.start();
  const { error } = await refusal(await world.client(), body);
  expect(error).toMatchObject({ code, field });
});

it("refuses a sealed text that is not JSON, or nests too deep, and runs the same one when it does not", async () => {
  await using world = await World.start();
  const client = await world.client();
  const nested = (depth: number) => JSON.parse("[".repeat(depth) + "]".repeat(depth));
  const tool = (parameters: unknown) => ({
    tools: [{ type: "function", function: { name: "f", parameters: { default: parameters } } }],
  });
  const { error } = await refusal(client, tool(nested(27)));
  expect(error).toMatchObject({ code: "BAD_REQUEST", message: expect.stringContaining("32 levels") });
  client.send(client.seal(tool(nested(20))));
  await world.engine.jobs.next();
});

it("tells in the clear what the client did not seal, and leaves its request id unused", async () => {
  await using world = await World.start();
  const client = await world.client();
  const request = client.seal();
  const forged = request.sealed.slice();
  forged[100]! ^= 1;
  expect(await client.send({ ...request, sealed: forged }).failed()).toMatchObject({ code: "SEALED_STREAM" });
  client.send(request);
  await world.engine.jobs.next();
});

it("answers a request under another request's id as one that does not open", async () => {
  await using world = await World.start();
  const client = await world.client();
  const request = client.seal();
  const moved = { ...request, head: { ...request.head, request: 9 } };
  expect(await client.send(moved).failed()).toMatchObject({ code: "SEALED_STREAM" });
});
