/** A piece of the answer, or one of the texts that were looked for. */
export type Scanned = { readonly text: string } | { readonly marker: string };

/**
 * Finds markers (stop strings, template tokens, tool-call prefixes) in a stream of text that may cut
 * them anywhere. What could still become a marker is held back, so no part of one ever gets out.
 */
export class MarkerScanner {
  readonly #markers: readonly string[];
  #held = "";

  constructor(markers: readonly string[]) {
    this.#markers = markers.filter((marker) => marker !== "");
  }

  /** Text that is held back because it may be the beginning of a marker. */
  get held(): string {
    return this.#held;
  }

  /** Up to the first marker; what follows it is in `rest`, for whoever knows what comes next. */
  push(text: string): { readonly scanned: readonly Scanned[]; readonly rest: string } {
    this.#held += text;
    const found = this.#firstMarker();
    if (found !== undefined) {
      const before = this.#held.slice(0, found.at);
      const rest = this.#held.slice(found.at + found.marker.length);
      this.#held = "";
      return { scanned: [...(before === "" ? [] : [{ text: before }]), { marker: found.marker }], rest };
    }
    const safe = this.#held.length - this.#partialLength();
    const out = this.#held.slice(0, safe);
    this.#held = this.#held.slice(safe);
    return { scanned: out === "" ? [] : [{ text: out }], rest: "" };
  }

  /** Nothing more comes: what was held back is ordinary text. */
  flush(): string {
    const out = this.#held;
    this.#held = "";
    return out;
  }

  /** The earliest marker; of those that begin together, the longest. */
  #firstMarker(): { readonly at: number; readonly marker: string } | undefined {
    let first: { at: number; marker: string } | undefined;
    for (const marker of this.#markers) {
      const at = this.#held.indexOf(marker);
      if (at < 0) continue;
      if (first === undefined || at < first.at || (at === first.at && marker.length > first.marker.length)) {
        first = { at, marker };
      }
    }
    return first;
  }

  #partialLength(): number {
    let longest = 0;
    for (const marker of this.#markers) {
      const most = Math.min(marker.length - 1, this.#held.length);
      for (let length = most; length > longest; length -= 1) {
        if (this.#held.endsWith(marker.slice(0, length))) {
          longest = length;
          break;
        }
      }
    }
    return longest;
  }
}
