import { limits } from "@bombyx/protocol/wire";

/** Sealed frames of one answer, kept so that a client can ask for them again (PROTOCOL §6). */
export class KeptFrames {
  readonly #frames: Uint8Array[] = [];
  readonly #bytesMax: number;
  #first = 0;
  #bytes = 0;

  constructor(bytesMax: number = limits.replayBytes) {
    this.#bytesMax = bytesMax;
  }

  /** Index of the first frame that is still here. */
  get first(): number {
    return this.#first;
  }

  /** Frames sealed so far: the index of the next. */
  get end(): number {
    return this.#first + this.#frames.length;
  }

  push(frame: Uint8Array): void {
    this.#frames.push(frame);
    this.#bytes += frame.length;
  }

  get(index: number): Uint8Array | undefined {
    return this.#frames[index - this.#first];
  }

  /** Above the limit, frames that the relay has written to the client make room. */
  trim(written: number): void {
    while (this.#bytes > this.#bytesMax && this.#first < written) {
      const dropped = this.#frames.shift();
      if (!dropped) return;
      this.#bytes -= dropped.length;
      this.#first++;
    }
  }
}
