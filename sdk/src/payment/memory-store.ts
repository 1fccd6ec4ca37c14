import { secondSigner } from "./second-signer.ts";
import { type SignerState, sameState, signerStateSchema, type VoucherStore } from "./signer-state.ts";

/** Keeps the state as long as this program runs: for trying things out, and for tests. */
export function memoryStore(initial?: SignerState): VoucherStore {
  let kept = initial && signerStateSchema.parse(initial);
  let taken = false;
  return {
    async acquire() {
      if (taken) throw secondSigner("This store is in use by another signer of this program.");
      taken = true;
      return () => {
        taken = false;
      };
    },
    async read() {
      return kept && structuredClone(kept);
    },
    async replace(before, next) {
      if (!sameState(kept, before)) return false;
      kept = structuredClone(next);
      return true;
    },
  };
}
