import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { chromiumPath } from "./devnet/src/house/chromium.ts";

/** Workspaces run as TypeScript: this condition picks `src` in their `exports`. */
const conditions = ["bombyx-source"];

/** Where the vectors that the project does not carry lie; their tests skip, and say so, without them. */
process.env.BOMBYX_VECTORS ??= new URL("../shared/vectors", import.meta.url).pathname;

const chromium = chromiumPath();

const nodeProject = {
  extends: true as const,
  test: {
    name: "node",
    include: ["*/{src,test}/**/*.test.ts"],
    exclude: ["**/*.browser.test.ts", "**/node_modules/**", "**/dist/**"],
    execArgv: ["-C", "bombyx-source"],
    testTimeout: 30_000,
  },
};

/** What must run unchanged in a browser: the protocol, and the parts of the SDK that say so by name. */
const chromiumProject = {
  extends: true as const,
  test: {
    name: "chromium",
    include: ["protocol/src/**/*.test.ts", "sdk/{src,test}/**/*.browser.test.ts"],
    exclude: ["**/*.vectors.test.ts", "**/*.node.test.ts", "**/node_modules/**", "**/dist/**"],
    testTimeout: 30_000,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({
        launchOptions: {
          ...(chromium !== undefined && { executablePath: chromium }),
          args: [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
          ],
        },
      }),
      instances: [{ browser: "chromium" as const }],
    },
  },
};

export default defineConfig({
  resolve: { conditions: [...conditions, "module", "browser", "development|production"] },
  ssr: { resolve: { conditions: [...conditions, "node", "module", "development|production"] } },
  optimizeDeps: {
    // Found ahead of the run: what Vite discovers in the middle of it reloads the page under the tests.
    include: ["libsodium-wrappers", "zod", "canonicalize", "fast-check"],
  },
  test: { projects: chromium === undefined ? [nodeProject] : [nodeProject, chromiumProject] },
});
