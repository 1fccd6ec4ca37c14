import type { BlockClock } from "./block-clock.ts";
import { globalId, type OpenAccounts } from "./chain-server.ts";
import type { LocalTon } from "./ton/local-ton.ts";

/** The accounts of a chain, which cost a second and 100 MB: a network that needs its blocks alone never opens them. */
export interface LazyTon {
  /** @throws Error when the chain's file cannot be read */
  open(): Promise<LocalTon>;
  /** For the chain's servers. */
  readonly accounts: OpenAccounts;
  close(): Promise<void>;
}

export function lazyTon(options: {
  readonly clock: BlockClock;
  /** SQLite. */
  readonly file: string;
  readonly blockDelay: number;
}): LazyTon {
  let opening: Promise<LocalTon> | undefined;
  const open = () => {
    opening ??= import("./ton/local-ton.ts").then(({ LocalTon }) => LocalTon.open({ ...options, globalId }));
    return opening;
  };
  return {
    open,
    accounts: async () => {
      const [ton, { call }] = await Promise.all([open(), import("./ton/toncenter/methods.ts")]);
      return (method, parameters) => call(ton, method, parameters);
    },
    close: async () => {
      await (await opening?.catch(() => undefined))?.close();
    },
  };
}
