import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

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
 * PROTOCOL §11, in the page itself for hosts that send no headers. A build does not know its gateway unless it is
 * told by BOMBYX_GATEWAY: else `bombyx.json` may name any https one or one of this machine, and the host's header
 * narrows it.
 */
function contentSecurityPolicy(): Plugin {
  const gateway = process.env.BOMBYX_GATEWAY;
  const connect = gateway
    ? `${new URL(gateway).origin} https://toncenter.com`
    : "https: http://127.0.0.1:* http://localhost:*";
  const content = [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    `connect-src 'self' ${connect}`,
    "img-src 'self' data: blob:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return {
    name: "content-security-policy",
    apply: "build",
    transformIndexHtml: () => [
      { tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content }, injectTo: "head-prepend" },
    ],
  };
}

/**
 * Two builds that differ in one module. Production pins the strict policy; `--mode simulation` (devnet
 * and browser tests) takes the policy of one devnet. Nothing at run time chooses between them.
 */
export default defineConfig(({ mode }) => ({
  root: path("."),
  base: "./",
  plugins: [react(), contentSecurityPolicy()],
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
