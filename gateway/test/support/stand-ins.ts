import { BombyxError } from "@bombyx/protocol/wire";
import type { Accounts, NodeRecord } from "../../src/accounts/accounts.ts";
import type { Bundles, StoredBundle } from "../../src/store/store.ts";

/** Keys are developers' names here. */
export function memoryAccounts(): Accounts {
  const nodes = new Map<string, NodeRecord>();
  const codes = new Map<string, string>();
  let n = 0;
  return {
    authenticate: async (bearer) => {
      if (!bearer.startsWith("key-")) throw new BombyxError("UNAUTHENTICATED", "unknown key");
      const developer = bearer.slice(4);
      return { account: `developer:${developer}`, payer: `sponsor:${developer}`, developer, kind: "key" };
    },
    createPairingCode: async ({ owner }) => {
      const code = `code-${n++}`;
      codes.set(code, owner);
      return { code, owner, expiresAt: Date.now() + 1_000 };
    },
    pairNode: async ({ node, linkPk, payout, code }) => {
      const owner = codes.get(code);
      if (owner === undefined) throw new BombyxError("PAIRING_INVALID", "unknown code");
      codes.delete(code);
      const record = { node, linkPk, payout, owner, pairedAt: 0 };
      nodes.set(node, record);
      return record;
    },
    findNode: async (node) => nodes.get(node),
    admit: () => undefined,
  } as Partial<Accounts> as Accounts;
}

export function memoryBundles(): Bundles {
  const bundles = new Map<string, StoredBundle>();
  return {
    put: async (bundle) => void bundles.set(bundle.attestationId, bundle),
    get: async (id) => bundles.get(id),
    prune: async () => 0,
  };
}
