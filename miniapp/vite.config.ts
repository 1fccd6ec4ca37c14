import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** @throws Error when a simulation build is not told whose simulation. */
function simulationPolicy(): string {
  const file = process.env.BOMBYX_SIMULATION;
  if (file) return file;
  throw new Error(
    "A simulation build needs BOMBYX_SIMULATION: the policy.js that `npm start` writes to .devnet/.",
  );
}

/**
 * Two builds that differ in one module. Production pins the strict policy; `--mode simulation` (devnet
 * and browser tests) takes the policy of one devnet. Nothing at run time chooses between them.
 */
export default defineConfig(({ mode }) => ({
  root: path("."),
  base: "./",
  plugins: [react()],
  resolve: {
    conditions: ["bombyx-source", "module", "browser", "development|production"],
    alias: {
      "bombyx:policy": mode === "simulation" ? simulationPolicy() : path("./src/network/strict-policy.ts"),
    },
  },
  build: {
    outDir: process.env.BOMBYX_MINIAPP_OUT ?? path("./dist"),
    emptyOutDir: true,
    target: "es2023",
    // A data: URL would be blocked by the page's own policy, and the polyfill inlines a script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // libsodium is one lazy chunk; nothing of it is worth splitting.
    chunkSizeWarningLimit: 700,
  },
}));
