import type { StateAddress } from "libsodium-wrappers";
import { sodium } from "./sodium.ts";

/** The module under the wrappers, which offer no way to free a stream's state. */
interface RawSodium {
  readonly HEAPU8: Uint8Array;
  _free(address: number): void;
  _crypto_secretstream_xchacha20poly1305_statebytes(): number;
}

/**
 * libsodium's crypto_secretstream, whose state (52 bytes with the key in them) lies in WebAssembly's
 * memory: zeroed and given back at the final frame, at the first failure, or by `erase`.
 */
abstract class SecretStream {
  #state: StateAddress | undefined;

  constructor(state: StateAddress) {
    this.#state = state;
  }

  /** @throws Error after the end of the stream. */
  protected get state(): StateAddress {
    if (this.#state === undefined) throw new Error("the stream has ended");
    return this.#state;
  }

  erase(): void {
    if (this.#state === undefined) return;
    const raw = (sodium as unknown as { readonly libsodium: RawSodium }).libsodium;
    // What the wrappers type as an opaque object is the state's address.
    const address = this.#state as unknown as number;
    raw.HEAPU8.fill(0, address, address + raw._crypto_secretstream_xchacha20poly1305_statebytes());
    raw._free(address);
    this.#state = undefined;
  }
}

export const streamHeaderBytes = 24;
/** What a frame is longer than its plaintext: encrypted tag and MAC. */
export const streamFrameOverheadBytes = 17;

export class SealingStream extends SecretStream {
  readonly header: Uint8Array;

  /** Zeroes `key`. */
  constructor(key: Uint8Array) {
    const { state, header } = sodium.crypto_secretstream_xchacha20poly1305_init_push(key);
    sodium.memzero(key);
    super(state);
    this.header = header;
  }

  /** @throws Error after the final frame. */
  seal(plaintext: Uint8Array, additionalData: Uint8Array, final: boolean): Uint8Array {
    const frame = sodium.crypto_secretstream_xchacha20poly1305_push(
      this.state,
      plaintext,
      additionalData,
      final
        ? sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL
        : sodium.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE,
    );
    if (final) this.erase();
    return frame;
  }
}

export class OpeningStream extends SecretStream {
  /**
   * Zeroes `key`.
   * @throws TypeError when `header` is short.
   */
  constructor(header: Uint8Array, key: Uint8Array) {
    const state = sodium.crypto_secretstream_xchacha20poly1305_init_pull(header, key);
    sodium.memzero(key);
    super(state);
  }

  /** @throws Error unless `frame` is the authentic next one; the stream is over then. */
  open(frame: Uint8Array, additionalData: Uint8Array): { plaintext: Uint8Array; final: boolean } {
    const opened = sodium.crypto_secretstream_xchacha20poly1305_pull(this.state, frame, additionalData);
    if (!opened) {
      this.erase();
      throw new Error("not authentic, or not the next frame");
    }
    const final = opened.tag === sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL;
    if (final) this.erase();
    if (!final && opened.tag !== sodium.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE) {
      this.erase();
      throw new Error(`a frame with the tag ${opened.tag}`);
    }
    return { plaintext: opened.message, final };
  }
}
