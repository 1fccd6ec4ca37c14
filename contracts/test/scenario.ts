import type { World } from "./world.ts";

/** One sentence about behaviour and the code that checks it. Vitest runs them, and so does the mutation run. */
export interface Scenario {
  readonly name: string;
  readonly run: (world: World) => Promise<void>;
}
