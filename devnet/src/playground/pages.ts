import { join } from "node:path";
import { repositoryRoot } from "../config.ts";
import { miniappBuild } from "../house/build.ts";
import { builtPage, runTool } from "../web/page-cache.ts";

const at = (...parts: string[]): string => join(repositoryRoot, ...parts);
/** Decides which libraries go into a page. */
const lockFile = at("package-lock.json");

/** The playground page; the same for every network of this checkout. */
export function builtPlayground(signal: AbortSignal): Promise<string> {
  const folder = at("devnet/src/playground/page");
  return builtPage(
    at("node_modules/.cache/bombyx"),
    {
      name: "playground",
      sources: [folder, lockFile],
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

/** The Mini App for one network: its policy is compiled in. @param cache a folder of that network. */
export function builtMiniapp(cache: string, policyFile: string, signal: AbortSignal): Promise<string> {
  const sources = ["miniapp/src", "miniapp/index.html", "miniapp/vite.config.ts", "miniapp/public"];
  return builtPage(
    cache,
    {
      name: "miniapp",
      sources: [...sources, "sdk/src", "protocol/src"].map((path) => at(path)).concat(lockFile, policyFile),
      build: (out, stop) => {
        const { command, args, env } = miniappBuild(out, policyFile);
        return runTool(command, args, { cwd: repositoryRoot, env, signal: stop });
      },
    },
    signal,
  );
}
