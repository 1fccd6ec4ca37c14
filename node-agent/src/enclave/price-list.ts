import { priceId } from "@bombyx/protocol/receipt";
import type { Price } from "@bombyx/protocol/wire";

/** Price rows that the gateway named. A row counts only under the hash of its content. */
export class PriceList {
  readonly #rows = new Map<string, Price>();

  /** @returns false for a row that is not what its id says; it is not taken. */
  add(row: Price): boolean {
    const { id, ...content } = row;
    if (priceId(content) !== id) return false;
    this.#rows.set(id, row);
    return true;
  }

  get(id: string): Price | undefined {
    return this.#rows.get(id);
  }
}
