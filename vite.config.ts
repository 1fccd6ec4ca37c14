import { defineConfig } from "vitest/config";

/** Workspaces run as TypeScript: this condition picks `src` in their `exports`. */
const conditions = ["bombyx-source"];

export default defineConfig({
  resolve: { conditions: [...conditions, "module", "browser", "development|production"] },
  ssr: { resolve: { conditions: [...conditions, "node", "module", "development|production"] } },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "node",
          include: ["*/{src,test}/**/*.test.ts"],
          exclude: ["**/*.browser.test.ts", "**/node_modules/**"],
          execArgv: ["-C", "bombyx-source"],
          testTimeout: 30_000,
        },
      },
    ],
  },
});
