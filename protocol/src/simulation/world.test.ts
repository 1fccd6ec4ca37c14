import { expect, test } from "vitest";
import { verifyQuote } from "../attestation/index.ts";
import { SimulatedWorld } from "./index.ts";

const now = Date.UTC(2026, 10, 1);
const reportData = new Uint8Array(64);

test("a world that was stored and loaded is the same world: its quotes pass the first one's policy", async () => {
  const world = await SimulatedWorld.create({ now });
  const loaded = await SimulatedWorld.load(JSON.parse(JSON.stringify(world)));
  expect(loaded.policy()).toEqual(world.policy());
  expect(loaded.rootDer).toEqual(world.rootDer);
  const later = now + 365 * 86_400_000;
  const verdict = verifyQuote(
    await loaded.quote(reportData),
    await loaded.collateral(later),
    later,
    world.policy(),
  );
  await expect(verdict).resolves.toMatchObject({ simulated: true });
});

test("no two worlds admit each other", async () => {
  const [one, two] = [await SimulatedWorld.create({ now }), await SimulatedWorld.create({ now })];
  const verdict = verifyQuote(await one.quote(reportData), await one.collateral(now), now, two.policy());
  await expect(verdict).rejects.toMatchObject({ reason: "CHAIN_ROOT" });
});

test("a state that is not one is refused", async () => {
  const state = (await SimulatedWorld.create({ now })).toJSON();
  await expect(SimulatedWorld.load({ ...state, v: 2 })).rejects.toThrow();
  await expect(SimulatedWorld.load({ ...state, keys: {} })).rejects.toThrow();
  await expect(SimulatedWorld.load(state)).resolves.toBeInstanceOf(SimulatedWorld);
});

test("a policy is plain data, so that it can be written to a file", async () => {
  const policy = (await SimulatedWorld.create({ now })).policy({ chain: "other" });
  expect(JSON.parse(JSON.stringify(policy))).toEqual(policy);
  expect(policy.chain).toBe("other");
});
