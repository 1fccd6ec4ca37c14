/** Replaced at build time; see vite.config.ts. */
declare module "bombyx:policy" {
  import type { Policy } from "@bombyx/sdk";

  const policy: Policy;
  export default policy;
}
