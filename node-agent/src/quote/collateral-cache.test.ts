import type { Collateral } from "@bombyx/protocol/attestation";
import { SimulatedWorld } from "@bombyx/protocol/simulation";
import { beforeAll, expect, it } from "vitest";
import { FakeClock } from "../../test/fake-clock.ts";
import { cachedCollateral, collateralTtlMs } from "./collateral-cache.ts";

const now = 1_800_000_000_000;
const dayMs = 86_400_000;
let world: SimulatedWorld;
let quote: Uint8Array;
beforeAll(async () => {
  world = await SimulatedWorld.create({ now });
  quote = await world.quote(new Uint8Array(64));
});

/** A service whose next answers a test decides. */
function service(...answers: (Collateral | Error)[]) {
  const clock = new FakeClock();
  const troubles: string[] = [];
  let asked = 0;
  const fetch = async () => {
    const answer = answers[Math.min(asked++, answers.length - 1)];
    if (answer instanceof Error || answer === undefined) throw answer ?? new Error("nothing");
    return answer;
  };
  const get = cachedCollateral(fetch, {
    monotonicMs: () => clock.monotonicMs(),
    onTrouble: (message) => troubles.push(message),
  });
  return { clock, troubles, get, asked: () => asked };
}

it("asks once an hour for each kind of machine", async () => {
  const [first, second] = [await world.collateral(now), await world.collateral(now + dayMs)];
  const { get, clock, asked } = service(first, second);
  expect(await get(quote)).toBe(first);
  clock.advance(collateralTtlMs - 1);
  expect(await get(quote)).toBe(first);
  expect(asked()).toBe(1);
  clock.advance(1);
  expect(await get(quote)).toBe(second);
  expect(await get(await world.quote(new Uint8Array(64), { fmspc: "DEAD00000001" }))).toBe(second);
  expect(asked()).toBe(3);
});

it("keeps what it has when the service answers with an older document, and says so", async () => {
  const good = await world.collateral(now);
  for (const older of [
    await world.collateral(now - dayMs),
    await world.collateral(now, { tcbInfo: { tcbEvaluationDataNumber: 17 } }),
    await world.collateral(now, { qeIdentity: { tcbEvaluationDataNumber: 17 } }),
  ]) {
    const { get, clock, troubles } = service(good, older);
    await get(quote);
    clock.advance(collateralTtlMs);
    expect(await get(quote)).toBe(good);
    expect(troubles).toEqual([expect.stringContaining("older")]);
  }
});

it("serves what it has while the service is out of reach, and has nothing to serve before", async () => {
  const good = await world.collateral(now);
  const { get, clock, troubles } = service(good, new Error("out of reach"));
  await get(quote);
  clock.advance(collateralTtlMs);
  expect(await get(quote)).toBe(good);
  expect(troubles).toEqual(["out of reach"]);
  await expect(service(new Error("out of reach")).get(quote)).rejects.toThrow("out of reach");
});
