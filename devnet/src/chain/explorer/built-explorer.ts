import { join } from "node:path";
import { repositoryRoot } from "../../config.ts";
import { builtPage, runTool } from "../../web/page-cache.ts";

const at = (...parts: string[]): string => join(repositoryRoot, ...parts);

/** The explorer's page; the same for every network of this checkout. */
export function builtExplorer(signal: AbortSignal): Promise<string> {
  const folder = at("devnet/src/chain/explorer/page");
  return builtPage(
    at("node_modules/.cache/bombyx"),
    {
      name: "explorer",
      sources: [
        folder,
        at("devnet/src/chain/explorer/report.ts"),
        at("devnet/src/chain/explorer/gram.ts"),
        at("package-lock.json"),
      ],
      build: (out, stop) =>
        runTool(
          at("node_modules/.bin/vite"),
          ["build", "--config", join(folder, "vite.config.ts"), "--logLevel", "warn", "--outDir", out],
          { cwd: repositoryRoot, env: { ...process.env, NODE_ENV: "production" }, signal: stop },
        ),
    },
    signal,
  );
}
