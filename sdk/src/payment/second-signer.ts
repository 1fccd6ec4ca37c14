import { BombyxError } from "@bombyx/protocol/wire";

/** Two signers of one key each believe in a total of their own: the lower one's work would go unpaid, or be paid twice. */
export const secondSigner = (how: string): BombyxError =>
  new BombyxError(
    "SECOND_SIGNER",
    `${how} One voucher key has one signer: stop the other one, or give this one a key and a channel of its own.`,
  );
