import { priceId } from "@bombyx/protocol/receipt";
import type { Price } from "@bombyx/protocol/wire";

export type PriceRow = Omit<Price, "id">;
export type DefaultPrice = Omit<PriceRow, "model">;

/** 20 nanoTON a unit; output counts eight times, a cached prompt token a tenth. */
export const builtInPrice: DefaultPrice = {
  nanoPerUnit: 20n,
  promptMultiplier: 10_000,
  cachedMultiplier: 1_000,
  completionMultiplier: 80_000,
  reasoningMultiplier: 80_000,
};

/** What each model costs here: rows of the operator's, and one default for every other model. */
export class PriceList {
  readonly #default: DefaultPrice;
  readonly #onRow: (price: Price) => void;
  readonly #byModel = new Map<string, Price>();
  readonly #byId = new Map<string, Price>();

  /** @param onRow told of each row before it is offered. */
  constructor(
    rows: readonly PriceRow[],
    defaultPrice: DefaultPrice = builtInPrice,
    onRow: (price: Price) => void = () => {},
  ) {
    this.#default = defaultPrice;
    this.#onRow = onRow;
    for (const row of rows) this.#add(row);
  }

  for(model: string): Price {
    return this.#byModel.get(model) ?? this.#add({ ...this.#default, model });
  }

  byId(id: string): Price | undefined {
    return this.#byId.get(id);
  }

  rows(): Price[] {
    return [...this.#byModel.values()];
  }

  #add(row: PriceRow): Price {
    const price = { id: priceId(row), ...row };
    this.#byModel.set(row.model, price);
    this.#byId.set(price.id, price);
    this.#onRow(price);
    return price;
  }
}
