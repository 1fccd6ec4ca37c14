/** A voucher signer's state in a file; Node only. */
export { fileStore } from "./file-store.ts";
