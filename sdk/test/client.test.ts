import { expect, test } from "vitest";
import { ask, stage, story, textOf } from "./stand-in/index.ts";

test("a streamed answer arrives whole, and the prompt crosses the wire only sealed", async () => {
  const { client, gateway } = await stage();
  const stream = await client.chat.completions.create({ ...ask, stream: true });
  expect(await textOf(stream)).toBe(story);
  expect(gateway.saw("CANARY-7f3a")).toBe(false);
  expect(gateway.saw("/v1/sealed/")).toBe(true);
  const opened = gateway.nodes.flatMap(({ requests }) => requests);
  expect(JSON.stringify(opened)).toContain("CANARY-7f3a");
});
