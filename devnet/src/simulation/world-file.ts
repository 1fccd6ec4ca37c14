import { readFile } from "node:fs/promises";
import { SimulatedWorld } from "@bombyx/protocol/simulation";
import * as z from "zod";
import type { StateDirectory } from "../state/state-directory.ts";

export const worldFile = "world.json";

/** This devnet's own simulated TDX world, whose root is made at the first start. */
export async function keepWorld(state: StateDirectory, now: number): Promise<SimulatedWorld> {
  const kept = await state.keep(worldFile, z.unknown(), async () =>
    (await SimulatedWorld.create({ now })).toJSON(),
  );
  return SimulatedWorld.load(kept);
}

/** @throws Error when there is no world at `path`. */
export async function readWorld(path: string): Promise<SimulatedWorld> {
  return SimulatedWorld.load(JSON.parse(await readFile(path, "utf8")));
}
