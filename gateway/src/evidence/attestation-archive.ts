import { claimsOpenTier, parseBundle, parseOpenBundle } from "@bombyx/protocol/attestation";
import { fromBase64, toBase64 } from "@bombyx/protocol/wire";
import type { Kysely } from "kysely";
import type { StoreSchema } from "../store/schema.ts";
import type { Bundles } from "../store/store.ts";

/** How long a receipt can be judged with what the gateway answers: a quarter, and some days to notice. */
export const attestationsKeptMs = 100 * 86_400_000;

export interface KeptAttestation {
  /** The exact statement bytes, base64. */
  readonly statement: string;
  readonly link: { readonly linkPk: string; readonly payout: string; readonly signature: string };
}

/** Of every accepted bundle the small part that ties a receipt's key to a node: statement and link (a few kB). */
export class AttestationArchive {
  readonly #db: Kysely<StoreSchema>;

  constructor(db: Kysely<StoreSchema>) {
    this.#db = db;
  }

  /** The same bundles; what is put there is kept here, too. */
  keeping(bundles: Bundles): Bundles {
    return {
      ...bundles,
      put: async (bundle) => {
        await bundles.put(bundle);
        const read = claimsOpenTier(bundle.bytes) ? parseOpenBundle : parseBundle;
        const { statement, link } = read(bundle.bytes);
        await this.#db
          .insertInto("attestations")
          .values({
            attestation_id: bundle.attestationId,
            statement: fromBase64(statement),
            link_pk: link.linkPk,
            payout: link.payout,
            signature: link.signature,
            accepted_at: BigInt(bundle.acceptedAt),
          })
          .onConflict((conflict) => conflict.column("attestation_id").doNothing())
          .execute();
      },
    };
  }

  async of(attestationId: string): Promise<KeptAttestation | null> {
    const row = await this.#db
      .selectFrom("attestations")
      .selectAll()
      .where("attestation_id", "=", attestationId)
      .executeTakeFirst();
    if (row === undefined) return null;
    const { link_pk: linkPk, payout, signature } = row;
    return { statement: toBase64(row.statement), link: { linkPk, payout, signature } };
  }

  /** Forgets those accepted before `before`. @returns how many. */
  async prune(before: number): Promise<number> {
    const { numDeletedRows } = await this.#db
      .deleteFrom("attestations")
      .where("accepted_at", "<", BigInt(before))
      .executeTakeFirst();
    return Number(numDeletedRows);
  }
}
