import { AttestationError, BombyxClient } from "@bombyx/sdk";
import { expect, test } from "vitest";
import { ask, stage, story, textOf } from "./stand-in/index.ts";
import { StandInNode } from "./stand-in/node.ts";
import { saying } from "./stand-in/script.ts";

const streamed = { ...ask, stream: true } as const;

test("a page gets a streamed answer from a verified node, and its prompt leaves only sealed", async () => {
  const { client, gateway } = await stage();
  expect(await textOf(await client.chat.completions.create(streamed))).toBe(story);
  expect(client.verdict(ask)?.simulated).toBe(true);
  expect(gateway.saw("/v1/sealed/")).toBe(true);
  expect(gateway.saw("CANARY-7f3a")).toBe(false);
});

test("a page survives the loss of a node in the middle of an answer", async () => {
  const { client, gateway } = await stage();
  gateway.faults.push({ kind: "lose", afterFrames: 6 });
  expect(await textOf(await client.chat.completions.create(streamed))).toBe(story);
  expect(gateway.presented).toHaveLength(1);
});

test("a page refuses a swapped bundle, and sends nothing", async () => {
  const { client, gateway, world } = await stage([{ name: "alone", script: saying(story) }]);
  const other = await StandInNode.create(world, { name: "other", script: saying(story) });
  const [node] = gateway.nodes;
  if (node) node.bundle = other.bundle;
  await expect(client.chat.completions.create(streamed)).rejects.toBeInstanceOf(AttestationError);
  expect(gateway.saw("/sessions")).toBe(false);
});

test("a page with the strict policy refuses the simulated network at CHAIN_ROOT", async () => {
  const { gateway } = await stage();
  const strict = new BombyxClient({ gateway: gateway.url, apiKey: gateway.apiKey, fetch: gateway.fetch });
  await expect(strict.chat.completions.create(ask)).rejects.toMatchObject({ reason: "CHAIN_ROOT" });
  expect(gateway.saw("CANARY-7f3a")).toBe(false);
});
