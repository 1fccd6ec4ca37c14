/** The production build's policy: Intel's root, Bombyx's releases, nothing else. */
export { strictPolicy as default } from "@bombyx/sdk";
