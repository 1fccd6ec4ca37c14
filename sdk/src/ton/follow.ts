import { exitCode, refusals } from "@bombyx/contracts/refusal";
import { vaultOps } from "@bombyx/contracts/vault-messages";
import { BombyxError } from "@bombyx/protocol/wire";
import {
  Address,
  beginCell,
  Cell,
  type CommonMessageInfoInternal,
  loadMessage,
  type Message,
  type Transaction,
} from "@ton/core";
import type { Order } from "./order.ts";
import type { PinnedChain } from "./pinned-chain.ts";

/** What became of an order, by the chain alone. */
export type Outcome =
  | {
      readonly kind: "done";
      /** What the vault paid out to the wallet. */
      readonly paidNano: bigint;
      /** What the chain kept of the wallet's money, rent of a new contract included. */
      readonly feeNano: bigint;
    }
  | {
      readonly kind: "refused";
      /** What other messages of the same transaction were paid. */
      readonly paidNano: bigint;
      /** Exit code of the contract that refused. */
      readonly code: number;
      /** Its name, `undefined` for a refusal of the virtual machine. */
      readonly refusal: string | undefined;
      readonly feeNano: bigint;
    }
  /** The wallet's transaction sent nothing: it had too little. */
  | { readonly kind: "not-sent" }
  /** Nothing came of it until it was no longer valid. */
  | { readonly kind: "expired" };

export interface FollowOptions {
  readonly chain: PinnedChain;
  /** Raw address of the wallet that was asked. */
  readonly wallet: string;
  /** What it was asked to send, all in one transaction. */
  readonly orders: readonly Order[];
  /** ms since epoch: the request's end. */
  readonly validUntilAt: number;
  /** What the wallet said that it sent; a wallet may as well say nothing. */
  readonly boc?: () => string | undefined;
  readonly signal: AbortSignal;
  /** Told when the wallet's transaction is on the chain. */
  readonly onSent?: () => void;
  /** @default Date.now */
  readonly now?: () => number;
  /** Between two looks. @default 1.5 s by the clock */
  readonly pause?: (signal: AbortSignal) => Promise<void>;
}

/** Endpoints lag behind: what was valid may show itself that much later. */
const graceMs = 60_000;
/** No chain of our messages takes longer on a chain that moves. */
const chainMs = 5 * 60_000;

/**
 * Watches what orders do, from the wallet's transaction to the last message of it. It looks for the very message
 * that was asked for, not for what the wallet returned: a wallet that never answers may have sent it.
 * @throws BombyxError CHAIN_UNAVAILABLE when the chain cannot be seen until long after; the signal's reason
 */
export async function followOrders(options: FollowOptions): Promise<Outcome> {
  const { chain, wallet, orders, validUntilAt, boc, signal, onSent } = options;
  const now = options.now ?? Date.now;
  const pause = options.pause ?? ((until) => delay(1_500, until));
  const wanted = orders.map(({ to, body }) => ({ to: Address.parseRaw(to), hash: body.hash() }));
  const carries = ({ info, body }: Message): boolean =>
    info.type === "internal" &&
    wanted.some(({ to, hash }) => info.dest.equals(to) && body.hash().equals(hash));

  const first = await until(validUntilAt + graceMs, async () => {
    const sent = boc?.();
    const normalised = sent === undefined ? undefined : normalisedHash(sent);
    for (const transaction of await chain.transactions(wallet, signal)) {
      if (transaction.outMessages.values().some(carries)) return { transaction };
      const message = transaction.inMessage;
      if (normalised && message?.info.type === "external-in" && hashOf(message).equals(normalised)) return {};
    }
    return undefined;
  });
  if (!first) return { kind: "expired" };
  if (!first.transaction) return { kind: "not-sent" };
  onSent?.();

  const own = Address.parseRaw(wallet);
  const trace: { readonly at: Address; readonly transaction: Transaction }[] = [
    { at: own, transaction: first.transaction },
  ];
  const open = internalOf(first.transaction).filter(carries);
  const deadline = now() + chainMs;
  for (let message = open.shift(); message; message = open.shift()) {
    const info = message.info as CommonMessageInfoInternal;
    const arrived = await until(deadline, async () =>
      (await chain.transactions(info.dest.toRawString(), signal)).find(({ inMessage }) =>
        isSame(inMessage?.info, info),
      ),
    );
    if (!arrived)
      throw new BombyxError(
        "CHAIN_UNAVAILABLE",
        "The chain has not shown yet what came of it; look again later.",
      );
    trace.push({ at: info.dest, transaction: arrived });
    open.push(...internalOf(arrived));
  }

  const paidNano = trace.reduce(
    (sum, { at, transaction }) => sum + (at.equals(own) ? paidBy(transaction) : 0n),
    0n,
  );
  const change = trace.reduce(
    (sum, { at, transaction }) => sum + (at.equals(own) ? changeOf(transaction, carries) : 0n),
    0n,
  );
  const feeNano = paidNano - change;
  const code = trace
    .filter(({ at }) => !at.equals(own))
    .map(({ transaction }) => exitCode(transaction))
    .findLast((exit) => exit !== undefined && exit !== 0);
  if (code === undefined) return { kind: "done", paidNano, feeNano };
  const refusal = code in refusals ? refusals[code as keyof typeof refusals][0] : undefined;
  return { kind: "refused", code, refusal, paidNano, feeNano };

  /** Looks until there is something to see; endpoints that fail meanwhile are asked again. */
  async function until<T>(end: number, look: () => Promise<T | undefined>): Promise<T | undefined> {
    for (;;) {
      let failure: unknown;
      const seen = await look().catch((error: unknown) => {
        signal.throwIfAborted();
        failure = error;
        return undefined;
      });
      if (seen !== undefined) return seen;
      if (now() > end) {
        // Not seen and not there are two things.
        if (failure !== undefined) throw failure;
        return undefined;
      }
      await pause(signal);
      signal.throwIfAborted();
    }
  }
}

const internalOf = (transaction: Transaction): Message[] =>
  transaction.outMessages.values().filter(({ info }) => info.type === "internal");

const isSame = (info: Message["info"] | undefined, sent: CommonMessageInfoInternal): boolean =>
  info?.type === "internal" &&
  info.createdLt === sent.createdLt &&
  info.src.equals(sent.src) &&
  info.dest.equals(sent.dest);

/** What the vault says that it pays, in the message that pays it. */
function paidBy({ inMessage }: Transaction): bigint {
  if (inMessage?.info.type !== "internal") return 0n;
  const body = inMessage.body.beginParse();
  if (body.remainingBits < 96 || body.loadUint(32) !== vaultOps.payout) return 0n;
  body.skip(64);
  return body.loadCoins();
}

/** By how much the wallet's balance moved; of what else the wallet sent along, nothing. */
function changeOf(
  { inMessage, outMessages, totalFees }: Transaction,
  ours: (message: Message) => boolean,
): bigint {
  const received = inMessage?.info.type === "internal" ? inMessage.info.value.coins : 0n;
  const sent = outMessages
    .values()
    .filter(({ info }) => info.type === "internal")
    .filter((message) => inMessage?.info.type === "internal" || ours(message))
    .reduce((sum, { info }) => {
      const { value, forwardFee } = info as CommonMessageInfoInternal;
      return sum + value.coins + forwardFee;
    }, 0n);
  return received - sent - totalFees.coins;
}

/** TEP-467: the same however the message was packed. */
const hashOf = (message: Message): Buffer => {
  const { dest } = message.info;
  return beginCell()
    .storeUint(2, 2)
    .storeUint(0, 2)
    .storeAddress(dest as Address)
    .storeCoins(0)
    .storeBit(false)
    .storeBit(true)
    .storeRef(message.body)
    .endCell()
    .hash();
};

function normalisedHash(boc: string): Buffer | undefined {
  try {
    return hashOf(loadMessage(Cell.fromBase64(boc).beginParse()));
  } catch {
    // Of no use, and no harm: the message itself is looked for.
    return undefined;
  }
}

function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}
