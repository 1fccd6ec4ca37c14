import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Cell } from "@ton/core";
import * as z from "zod";
import { repositoryRoot } from "../../config.ts";
import { builtPage } from "../../web/page-cache.ts";

export interface ContractCode {
  readonly clientChannel: Cell;
  readonly nodeAccount: Cell;
  readonly registry: Cell;
  readonly vault: Cell;
}

const codes = z.strictObject({
  clientChannel: z.string(),
  nodeAccount: z.string(),
  registry: z.string(),
  vault: z.string(),
});
const file = "code.json";

/** Code of the four contracts, compiled when their sources change. @throws TolkError in the compiler's words */
export async function contractCode(): Promise<ContractCode> {
  const folder = await builtPage(
    join(repositoryRoot, "node_modules/.cache/bombyx"),
    {
      name: "contracts",
      sources: [
        join(repositoryRoot, "contracts/src"),
        join(repositoryRoot, "node_modules/@ton/tolk-js/package.json"),
      ],
      build: async (out) => writeFile(join(out, file), JSON.stringify(await compiled())),
    },
    new AbortController().signal,
  );
  const kept = codes.parse(JSON.parse(await readFile(join(folder, file), "utf8")));
  return {
    clientChannel: Cell.fromBase64(kept.clientChannel),
    nodeAccount: Cell.fromBase64(kept.nodeAccount),
    registry: Cell.fromBase64(kept.registry),
    vault: Cell.fromBase64(kept.vault),
  };
}

async function compiled(): Promise<z.infer<typeof codes>> {
  // The compiler is 2 MB of WASM: only whoever compiles loads it.
  const { compileContract } = await import("@bombyx/contracts/compile");
  const boc = async (name: Parameters<typeof compileContract>[0]) =>
    (await compileContract(name)).code.toBoc().toString("base64");
  return {
    clientChannel: await boc("client-channel"),
    nodeAccount: await boc("node-account"),
    registry: await boc("registry"),
    vault: await boc("vault"),
  };
}
