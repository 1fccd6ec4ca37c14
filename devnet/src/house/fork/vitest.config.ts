import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["bot/{src,test}/**/*.test.ts", "miniapp/src/**/*.test.{ts,tsx}"],
    testTimeout: 30_000,
  },
});
