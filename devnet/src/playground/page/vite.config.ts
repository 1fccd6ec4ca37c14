import { defineConfig } from "vite";
import { pageConfig } from "../../web/page-config.ts";

/** The playground page; devnet/src/playground/pages.ts builds it when its sources change. */
export default defineConfig(pageConfig(import.meta.url));
