import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { chromiumPath } from "./devnet/src/house/chromium.ts";
import { realVectors } from "./devnet/src/house/vectors.ts";

/** Workspaces run as TypeScript: this condition picks `src` in their `exports`. */
const conditions = ["bombyx-source"];

/** Where the vectors that the project does not carry lie; their tests skip, and say so, without them. */
process.env.BOMBYX_VECTORS ??= new URL("../shared/vectors", import.meta.url).pathname;

const chromium = chromiumPath();

const notOnesOwn = ["**/*.browser.test.ts", "**/node_modules/**", "**/dist/**"];

/** Tests that read a clock: what else runs on the machine would be in their figures. */
const timed = [
  "devnet/test/promptness.test.ts",
  "devnet/test/start.test.ts",
  "node-agent/src/engine/crowd.test.ts",
];

const inNode = {
  execArgv: ["-C", "bombyx-source"],
  testTimeout: 30_000,
};

const nodeProject = {
  extends: true as const,
  test: {
    ...inNode,
    name: "node",
    include: ["*/{src,test}/**/*.test.ts"],
    exclude: [...notOnesOwn, ...timed],
    maxWorkers: 2,
    sequence: { groupOrder: 0 },
  },
};

const timedProject = {
  extends: true as const,
  test: { ...inNode, name: "timed", include: timed, maxWorkers: 1, sequence: { groupOrder: 1 } },
};

/** What must run unchanged in a browser: the protocol, and the parts of the SDK that say so by name. */
const chromiumProject = {
  extends: true as const,
  test: {
    name: "chromium",
    sequence: { groupOrder: 2 },
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
  test: {
    provide: { vectors: realVectors() },
    projects: [nodeProject, timedProject, ...(chromium === undefined ? [] : [chromiumProject])],
  },
});
