import { join } from "node:path";
import { repositoryRoot } from "../config.ts";
import { builtPage, runTool } from "./page-cache.ts";

const at = (...parts: string[]): string => join(repositoryRoot, ...parts);

/** Decides which libraries go into a page. */
export const lockFile = at("package-lock.json");

/**
 * A page of devnet's own, the same for every network of this checkout; built by its vite.config.ts.
 * @param source paths from the root: the page's folder, and what it imports from outside of it
 */
export function devnetPage(
  name: string,
  source: { readonly folder: string; readonly imports?: readonly string[] },
  signal: AbortSignal,
): Promise<string> {
  const folder = at(source.folder);
  return builtPage(
    at("node_modules/.cache/bombyx"),
    {
      name,
      sources: [
        folder,
        ...(source.imports ?? []).map((path) => at(path)),
        at("devnet/src/web/page-config.ts"),
        lockFile,
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
