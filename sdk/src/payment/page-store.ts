import { BombyxError } from "@bombyx/protocol/wire";
import { secondSigner } from "./second-signer.ts";
import { type SignerState, sameState, signerStateSchema, type VoucherStore } from "./signer-state.ts";

/** What of `localStorage` is used; an application may keep the text elsewhere. */
export interface PageStorage {
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): void | Promise<void>;
}

/** What of `navigator.locks` is used. */
export interface PageLocks {
  request(
    name: string,
    options: { readonly ifAvailable: true },
    callback: (lock: unknown) => Promise<void>,
  ): Promise<unknown>;
}

/**
 * A page's store: one tab at a time holds the lock that the browser lets go of with the tab.
 * @param key names the state in `storage`, and the lock.
 */
export function pageStore(key: string, storage: PageStorage, locks: PageLocks): VoucherStore {
  const read = async (): Promise<SignerState | undefined> => {
    const text = await storage.getItem(key);
    if (text === null) return undefined;
    try {
      return signerStateSchema.parse(JSON.parse(text));
    } catch (cause) {
      throw new BombyxError("BAD_REQUEST", `What is kept under ${key} is no signer's state.`, { cause });
    }
  };
  return {
    read,
    async acquire() {
      const held = Promise.withResolvers<void>();
      const done = Promise.withResolvers<void>();
      locks
        .request(`bombyx/voucher/${key}`, { ifAvailable: true }, async (lock) => {
          if (lock === null) held.reject(secondSigner("Another tab signs vouchers with this key."));
          else {
            held.resolve();
            await done.promise;
          }
        })
        .catch(held.reject);
      await held.promise;
      return done.resolve;
    },
    async replace(before, next) {
      if (!sameState(await read(), before)) return false;
      await storage.setItem(key, JSON.stringify(next));
      return true;
    },
  };
}
