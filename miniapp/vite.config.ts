import { readFileSync } from "node:fs";
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

const wallets = JSON.parse(readFileSync(path("./public/wallets.json"), "utf8")) as {
  readonly bridge: readonly { readonly type: string; readonly url?: string }[];
}[];

/**
 * PROTOCOL §11, in the pages themselves for hosts that send no headers. A build does not know its gateway unless it is
 * told by BOMBYX_GATEWAY: else `bombyx.json` may name any https one or one of this machine, and the host's header
 * narrows it. The wallet's document has a policy of its own: no WebAssembly, and the bridges of the wallets on its list.
 */
function contentSecurityPolicy(): Plugin {
  const gateway = process.env.BOMBYX_GATEWAY;
  const connect = gateway
    ? `${new URL(gateway).origin} https://toncenter.com`
    : "https: http://127.0.0.1:* http://localhost:*";
  const bridges = wallets.flatMap(({ bridge }) =>
    bridge.flatMap(({ url }) => (url ? [new URL(url).origin] : [])),
  );
  const policy = (isWallet: boolean) =>
    [
      "default-src 'none'",
      isWallet ? "script-src 'self'" : "script-src 'self' 'wasm-unsafe-eval'",
      "style-src 'self'",
      `connect-src 'self' ${connect}${isWallet && gateway ? ` ${[...new Set(bridges)].join(" ")}` : ""}`,
      isWallet ? "img-src 'self' data:" : "img-src 'self' data: blob:",
      "base-uri 'none'",
      "form-action 'none'",
    ].join("; ");
  return {
    name: "content-security-policy",
    apply: "build",
    transformIndexHtml: (_html, { path }) => [
      {
        tag: "meta",
        attrs: { "http-equiv": "Content-Security-Policy", content: policy(path.endsWith("/wallet.html")) },
        injectTo: "head-prepend",
      },
    ],
  };
}

/**
 * What wallets show of who asks (TON Connect's manifest). It names the page's own address, so a build that is told none
 * by BOMBYX_MINIAPP_URL has no manifest, and its host serves one.
 */
function tonConnectManifest(): Plugin {
  const address = process.env.BOMBYX_MINIAPP_URL;
  return {
    name: "tonconnect-manifest",
    apply: "build",
    generateBundle() {
      if (!address) return;
      const url = address.replace(/\/$/, "");
      const manifest = { url, name: "Bombyx", iconUrl: `${url}/icon.png` };
      this.emitFile({
        type: "asset",
        fileName: "tonconnect-manifest.json",
        source: `${JSON.stringify(manifest, undefined, 2)}\n`,
      });
    },
  };
}

/**
 * Two builds that differ in one module. Production pins the strict policy; `--mode simulation` (devnet
 * and browser tests) takes the policy of one devnet. Nothing at run time chooses between them.
 */
export default defineConfig(({ mode }) => ({
  root: path("."),
  base: "./",
  plugins: [react(), contentSecurityPolicy(), tonConnectManifest()],
  resolve: {
    conditions: ["bombyx-source", "module", "browser", "development|production"],
    alias: {
      "bombyx:policy": mode === "simulation" ? simulationPolicy() : path("./src/network/strict-policy.ts"),
    },
  },
  build: {
    outDir: process.env.BOMBYX_MINIAPP_OUT ?? path("./dist"),
    emptyOutDir: true,
    rolldownOptions: {
      input: { index: path("./index.html"), wallet: path("./wallet.html") },
      // What several tabs share is one file: two dozen small ones compress worse, and each is a request.
      output: {
        codeSplitting: {
          groups: [{ name: "shared", test: /miniapp\/src\/(components|network|i18n)\//, minShareCount: 2 }],
        },
      },
    },
    target: "es2023",
    // A data: URL would be blocked by the page's own policy, and the polyfill inlines a script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // libsodium is one lazy chunk; nothing of it is worth splitting.
    chunkSizeWarningLimit: 700,
  },
}));
