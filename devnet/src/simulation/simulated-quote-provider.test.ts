import { AttestationError, strictPolicy, verifyQuote } from "@bombyx/protocol/attestation";
import { SimulatedWorld } from "@bombyx/protocol/simulation";
import { expect, it } from "vitest";
import { SimulatedQuoteProvider } from "./simulated-quote-provider.ts";

const now = 1_800_000_000_000;
const reportData = new Uint8Array(64).fill(3);

async function judge(world: SimulatedWorld, platform: string, policy = world.policy()) {
  const provider = new SimulatedQuoteProvider(world, platform, () => now);
  return verifyQuote(await provider.quote(reportData), await provider.collateral(), now, policy);
}

it("gives quotes that the verifier admits under this devnet's own root, and says that they are simulated", async () => {
  const world = await SimulatedWorld.create({ now });
  expect(await judge(world, "alder")).toMatchObject({ simulated: true });
});

it("gives each node a platform of its own, so that a standby can differ in it", async () => {
  const world = await SimulatedWorld.create({ now });
  const alder = await judge(world, "alder");
  const birch = await judge(world, "birch");
  expect(alder.platformId).not.toBe(birch.platformId);
  expect((await judge(world, "alder")).platformId).toBe(alder.platformId);
});

it("convinces no other devnet and no strict client", async () => {
  const world = await SimulatedWorld.create({ now });
  const other = await SimulatedWorld.create({ now });
  for (const policy of [other.policy(), strictPolicy]) {
    const refused = judge(world, "alder", policy);
    await expect(refused).rejects.toBeInstanceOf(AttestationError);
    await expect(refused).rejects.toMatchObject({ reason: "CHAIN_ROOT" });
  }
});
