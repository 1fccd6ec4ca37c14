import { expect, it } from "vitest";
import { simulatedQuotes, World } from "./world.ts";

it("publishes no quote over something else than its own statement: the kernel handed out another's", async () => {
  const { quote, collateral } = await simulatedQuotes();
  const foreign = { collateral, quote: () => quote(new Uint8Array(64).fill(1)) };
  await expect(World.start({ quotes: foreign })).rejects.toMatchObject({
    code: "NODE_FAILED",
    message: expect.stringContaining("not over this node's statement"),
  });
});

it("publishes no quote that it cannot read itself", async () => {
  const { quote, collateral } = await simulatedQuotes();
  const dice = { collateral, quote: async () => Uint8Array.of(0xd8, 0x18, 0x41) };
  await expect(World.start({ quotes: dice })).rejects.toMatchObject({ reason: "QUOTE_VERSION" });
  await using world = await World.start({ quotes: { quote, collateral } });
  expect(world.admission.statement.epoch).toBe(1);
});
