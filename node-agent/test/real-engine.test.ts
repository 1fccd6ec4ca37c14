import { fileURLToPath } from "node:url";
import { auditReceipt, verifyReceipt } from "@bombyx/protocol/receipt";
import { fromHex } from "@bombyx/protocol/wire";
import { expect, it } from "vitest";
import { startEngine } from "../src/engine/start-engine.ts";
import { price } from "./fake-gateway.ts";
import { World } from "./world.ts";

const modelPath = fileURLToPath(new URL("../../devnet/models/spark.gguf", import.meta.url));

it("streams a real model's answer and bills what it counted", async () => {
  // The fake gateway has a price for this name.
  const engine = await startEngine({ modelPath, modelId: "scripted", slots: 2 });
  await using world = await World.serve(engine);
  const client = await world.client();
  const request = client.seal({ max_tokens: 40, temperature: 0, seed: 1 }, { tickMs: 0 });
  const stream = client.send(request);
  const reader = await client.reader(request).readAll(stream);
  const receipt = verifyReceipt(await stream.receipt(), fromHex(world.admission.statement.sig_pk));
  expect(reader.text.length).toBeGreaterThan(0);
  expect(reader.detail.completionTokens).toBeGreaterThan(0);
  expect(reader.detail.promptTokens).toBeGreaterThan(0);
  auditReceipt(receipt, reader.detail, price);
}, 120_000);
