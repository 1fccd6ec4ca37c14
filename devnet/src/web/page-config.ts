import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import type { UserConfig } from "vite";

/** How Vite builds a page of a devnet. @param from `import.meta.url` of the page's own configuration */
export const pageConfig = (from: string): UserConfig => ({
  root: fileURLToPath(new URL(".", from)),
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
