import { beginCell, Cell, Dictionary } from "@ton/core";
import { defaultConfig } from "@ton/sandbox";

/**
 * Storage, gas and message prices of mainnet since 30 April 2026 (masterchain block 84773657): configuration parameters
 * 18, 20, 21, 24 and 25. The emulator's built-in configuration has those before, six times as high.
 */
const since2026: Readonly<Record<number, string>> = {
  18: "te6cckEBAwEAWQACAUgBAgBM3swAAAAAAAAAAAAAAAEAAAAAAAAB9AAAAAAAAAPoAAAAAAAHoSAAU71Pk/sGY0+T+wAAAAAAAAAAAAAAAAAAAAQ4AAAAAAAAH0AAAAAAAD0JBPXsekg=",
  20: "te6cckEBAQEATAAAlNEAAAAAAAAAZAAAAAAAD0JA3gAAAAAnEAAAAAAAAAAPQkAAAAAABCwdgAAAAAAAACcQAAAAAAAmJaAAAAAABfXhAAAAAAA7msoAKm2gQw==",
  21: "te6cckEBAQEATAAAlNEAAAAAAAAAZAAAAAAAABoL3gAAAAAAQqqrAAAAAAAPQkAAAAAAAA9CQAAAAAAAACcQAAAAAACYloAAAAAABfXhAAAAAAA7msoAgyFv5Q==",
  24: "te6cckEBAQEAIwAAQuoAAAAAAJiWgAAAAAAnEAAAAAAAD0JAAAAAAYAAVVVVVX2jQy8=",
  25: "te6cckEBAQEAIwAAQuoAAAAAAAEEawAAAAAAQqqrAAAAABoKqqsAAYAAVVVVVXUQ/H0=",
};

const globalIdParameter = 19;

/** Configuration parameters by number. */
export type ChainConfig = Dictionary<number, Cell>;

/** Mainnet's configuration at today's prices, as a chain of its own: what is signed for it is worth nothing elsewhere. */
export function chainConfig(globalId: number): ChainConfig {
  const config = Dictionary.loadDirect(
    Dictionary.Keys.Int(32),
    Dictionary.Values.Cell(),
    Cell.fromBase64(defaultConfig),
  );
  for (const [key, boc] of Object.entries(since2026)) config.set(Number(key), Cell.fromBase64(boc));
  config.set(globalIdParameter, beginCell().storeInt(globalId, 32).endCell());
  return config;
}

/** The same as one cell. */
export const packConfig = (config: ChainConfig): Cell => beginCell().storeDictDirect(config).endCell();
