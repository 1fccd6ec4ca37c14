import { compileContract, type ReadSource } from "../src/compile.ts";
import type { Codes } from "./world.ts";

/** All four contracts from their sources, or from what `read` makes of them. */
export async function compileAll(read?: ReadSource): Promise<Codes> {
  return {
    clientChannel: (await compileContract("client-channel", read)).code,
    nodeAccount: (await compileContract("node-account", read)).code,
    vault: (await compileContract("vault", read)).code,
    registry: (await compileContract("registry", read)).code,
  };
}
