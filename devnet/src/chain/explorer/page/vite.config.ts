import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** The explorer's page; devnet/src/chain/explorer/built-explorer.ts builds it when its sources change. */
export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  plugins: [react()],
  build: {
    emptyOutDir: true,
    target: "es2023",
    // A data: script or style would be blocked by the page's own policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
