import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const names = [
  "phala_v4_b0c06f.quote.bin",
  "phala_v4_b0c06f.collateral.json",
  "cocoon_v4_90c06f.quote.bin",
  "intel_90c06f_2026-02.collateral.json",
  "google_cos113_v4_00806f.quote.bin",
] as const;

/** Real quotes and their collateral by file name, base64, for tests that a browser runs too; none when absent. */
export function realVectors(folder = process.env.BOMBYX_VECTORS ?? ""): Record<string, string> {
  const found = names.filter((name) => existsSync(join(folder, "tdx", name)));
  return Object.fromEntries(
    found.map((name) => [name, readFileSync(join(folder, "tdx", name)).toString("base64")]),
  );
}
