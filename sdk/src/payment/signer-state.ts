import { basechainAddress, count, hex, nanoText, networkId } from "@bombyx/protocol/wire";
import * as z from "zod";

/** A request whose receipt is still to come, with all that it takes to check it without a session. */
export const expectedChargeSchema = z.strictObject({
  session: hex.b32,
  request: count,
  attestationId: hex.b32,
  /** Key of the attested node; what it signed counts. */
  sigPk: hex.b32,
  idempotencyId: hex.b16,
  priceId: hex.b16,
  nanoPerUnit: nanoText,
  coefficient: count,
  ceilingUnits: count,
  requestHash: hex.b32,
  /** When it was sent, ms since epoch. */
  at: count,
  /** What a lost node's running receipt has made it cost already. */
  chargedNano: nanoText.optional(),
});
export type ExpectedCharge = z.infer<typeof expectedChargeSchema>;

/** Everything that one voucher key's signer must never forget; secret. */
export const signerStateSchema = z.strictObject({
  v: z.literal(1),
  globalId: networkId,
  channel: basechainAddress,
  vault: basechainAddress,
  owner: basechainAddress,
  salt: z.string().regex(/^(0|[1-9][0-9]{0,19})$/),
  /** Ed25519 seed of the voucher key. */
  seed: hex.b32,
  /** Made for a rotation that the owner has still to send. */
  nextSeed: hex.b32.nullable(),
  /** Public keys of rotations before. */
  pastKeys: z.array(hex.b32),
  /** Sum over all receipts that were checked. Vouchers say this and nothing else. */
  checkedNano: nanoText,
  /** The highest total that was ever signed. */
  signedNano: nanoText,
  expected: z.array(expectedChargeSchema),
  /** Grows by one with every write. */
  revision: count,
  /** Who wrote it: made anew by every signer that opens it. */
  writer: z.string().max(64),
});
export type SignerState = z.infer<typeof signerStateSchema>;

/** Where a signer's state is kept. One key has one signer, so one store has one writer. */
export interface VoucherStore {
  /**
   * Makes this the only writer until it is let go of.
   * @throws BombyxError SECOND_SIGNER when another one, here or in another process or tab, is at it.
   */
  acquire(): Promise<() => void | Promise<void>>;
  /** @throws BombyxError BAD_REQUEST when what is kept is no signer's state. */
  read(): Promise<SignerState | undefined>;
  /**
   * Keeps `next` in place of `before`, on the disk when it resolves.
   * @returns false, and changes nothing, when something else than `before` is kept: somebody else has written.
   */
  replace(before: SignerState | undefined, next: SignerState): Promise<boolean>;
}

/** Whether what is kept is what this signer wrote last. */
export const sameState = (kept: SignerState | undefined, before: SignerState | undefined): boolean =>
  kept?.revision === before?.revision && kept?.writer === before?.writer;
