import { readFileSync, writeFileSync } from "node:fs";
import { type CompiledContract, type ContractName, compileContract, contractNames } from "./compile.ts";

/** `compiled.ts`: what the packages ship instead of the compiler. */
const target = new URL("compiled.ts", import.meta.url);

/** Text of `compiled.ts` for these contracts, formatted as the house formats: `npm run check` is green after a build. */
export function compiledModule(compiled: ReadonlyMap<ContractName, CompiledContract>): string {
  const entries = contractNames.map((name) => {
    const { code, hash } = compiled.get(name) as CompiledContract;
    const key = name.includes("-") ? `"${name}"` : name;
    return `  ${key}: {\n    hash: "${hash}",\n    boc: "${code.toBoc().toString("base64")}",\n  },`;
  });
  return [
    'import { Cell } from "@ton/core";',
    "",
    "/** Made by `npm run contracts -- build` from the Tolk sources beside it; a test compiles them and compares. */",
    "export const compiled = {",
    ...entries,
    "} as const;",
    "",
    "/** Code cell of a contract. */",
    "export function codeOf(name: keyof typeof compiled): Cell {",
    "  return Cell.fromBase64(compiled[name].boc);",
    "}",
    "",
  ].join("\n");
}

/** Compiles all four contracts. */
export async function compileEach(): Promise<Map<ContractName, CompiledContract>> {
  const compiled = new Map<ContractName, CompiledContract>();
  for (const name of contractNames) compiled.set(name, await compileContract(name));
  return compiled;
}

/** Writes `compiled.ts`; answers whether it changed. */
export async function build(): Promise<{ changed: boolean; compiled: Map<ContractName, CompiledContract> }> {
  const compiled = await compileEach();
  const text = compiledModule(compiled);
  let before = "";
  try {
    before = readFileSync(target, "utf8");
  } catch {
    // The first build.
  }
  if (before !== text) writeFileSync(target, text);
  return { changed: before !== text, compiled };
}
