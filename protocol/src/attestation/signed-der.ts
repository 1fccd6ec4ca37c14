import { toHex } from "../wire/encoding.ts";
import { type Der, DerReader, tags, wholeBits } from "./der.ts";
import { rawSignature } from "./ecdsa.ts";

/** The only signature algorithm of Intel's certificates, as an AlgorithmIdentifier: ecdsa-with-SHA256. */
const ecdsaWithSha256 = "300a06082a8648ce3d040302";

/** What certificates and revocation lists have in common: a signed part, and the signature over it. */
export interface SignedDer {
  readonly tbs: Der;
  /** r ‖ s. */
  readonly signature: Uint8Array<ArrayBuffer>;
  /**
   * Reads the algorithm where the signed part repeats it.
   * @throws RangeError unless both are ecdsa-with-SHA256.
   */
  readAlgorithm(reader: DerReader): void;
}

/** @throws RangeError when the bytes are not one signed structure (RFC 5280 §4.1.1 and §5.1.1). */
export function openSigned(der: Uint8Array<ArrayBuffer>): SignedDer {
  const outer = new DerReader(der);
  const whole = outer.enter();
  outer.end();
  const tbs = whole.next(tags.sequence);
  const algorithm = toHex(whole.next(tags.sequence).raw);
  const signature = rawSignature(wholeBits(whole.next(tags.bitString)));
  whole.end();
  return {
    tbs,
    signature,
    readAlgorithm(reader) {
      if (toHex(reader.next(tags.sequence).raw) !== algorithm || algorithm !== ecdsaWithSha256)
        throw new RangeError("signed otherwise than by ECDSA with SHA-256");
    },
  };
}
