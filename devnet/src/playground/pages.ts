import { join } from "node:path";
import { repositoryRoot } from "../config.ts";
import { miniappBuild } from "../house/build.ts";
import { devnetPage, lockFile } from "../web/devnet-page.ts";
import { builtPage, runTool } from "../web/page-cache.ts";

const at = (...parts: string[]): string => join(repositoryRoot, ...parts);

/** The playground page. */
export const builtPlayground = (signal: AbortSignal): Promise<string> =>
  devnetPage("playground", { folder: "devnet/src/playground/page" }, signal);

/** The Mini App for one network: its policy is compiled in. @param cache a folder of that network. */
export function builtMiniapp(cache: string, policyFile: string, signal: AbortSignal): Promise<string> {
  const sources = [
    "miniapp/src",
    "miniapp/index.html",
    "miniapp/wallet.html",
    "miniapp/vite.config.ts",
    "miniapp/public",
  ];
  return builtPage(
    cache,
    {
      name: "miniapp",
      sources: [...sources, "sdk/src", "protocol/src", "contracts/src"]
        .map((path) => at(path))
        .concat(lockFile, policyFile),
      build: (out, stop) => {
        const { command, args, env } = miniappBuild(out, policyFile);
        return runTool(command, args, { cwd: repositoryRoot, env, signal: stop });
      },
    },
    signal,
  );
}
