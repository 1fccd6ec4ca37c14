import { VoucherSigner } from "@bombyx/sdk/payment";
import { fileStore } from "@bombyx/sdk/payment-file";

/** Holds the store named in its argument until it is killed. */
const [, , file = ""] = process.argv;
await VoucherSigner.open(fileStore(file));
process.send?.("holds");
setInterval(() => undefined, 60_000);
