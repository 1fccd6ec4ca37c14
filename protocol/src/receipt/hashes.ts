import { blake2b256 } from "../session/sodium.ts";
import { u64be, utf8 } from "../wire/encoding.ts";

/** What a receipt says about ciphertext: both ends and the gateway compute it without any key. */

/** `requestHash` of a receipt: BLAKE2b-256 of the sealed request. */
export const requestHash = (sealed: Uint8Array): Uint8Array => blake2b256(sealed);

/**
 * `framesHash` of a receipt: a chain, so that the hash after any frame is at hand.
 * H0 = H("bombyx/frames/v1\0"), Hn = H(Hn-1 ‖ u64be(length) ‖ frame).
 */
export class FramesHash {
  #digest: Uint8Array = blake2b256(utf8("bombyx/frames/v1\0"));

  push(frame: Uint8Array): void {
    this.#digest = blake2b256(this.#digest, u64be(frame.length), frame);
  }

  get digest(): Uint8Array {
    return this.#digest;
  }
}
