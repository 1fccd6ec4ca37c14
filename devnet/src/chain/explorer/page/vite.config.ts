import { defineConfig } from "vite";
import { pageConfig } from "../../../web/page-config.ts";

/** The explorer's page; devnet/src/chain/explorer/built-explorer.ts builds it when its sources change. */
export default defineConfig(pageConfig(import.meta.url));
