import { randomBytes } from "node:crypto";
import {
  AccountWatcher,
  ChainError,
  OperatorWallet,
  type OrderBook,
  type Place,
  type SignedOrder,
  TonEndpoints,
} from "@bombyx/gateway/chain";
import { Address, comment, internal, type Transaction } from "@ton/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { globalId } from "../src/chain/chain-server.ts";
import { type CrookedEndpoint, crookedEndpoint, straight } from "./crooked-endpoint.ts";
import { gram, localTon, type TestTon } from "./local-ton.ts";
import "./patience.ts";

let chain: TestTon;
let honest: CrookedEndpoint;
let crooked: CrookedEndpoint;
let endpoints: TonEndpoints;
/** How often a reader waited for endpoints to agree. */
let waits: number;

beforeEach(async () => {
  chain = await localTon("over HTTP");
  [honest, crooked] = [await crookedEndpoint(chain.url), await crookedEndpoint(chain.url)];
  waits = 0;
  endpoints = new TonEndpoints({
    urls: [honest.url, crooked.url],
    wait: async () => {
      waits++;
    },
  });
});
afterEach(async () => {
  await Promise.all([honest[Symbol.asyncDispose](), crooked[Symbol.asyncDispose]()]);
  await chain[Symbol.asyncDispose]();
});

const refused = async (what: Promise<unknown>, reason: ChainError["reason"]) => {
  const error = await what.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(ChainError);
  expect((error as ChainError).reason).toBe(reason);
  expect((error as ChainError).code).toBe("CHAIN_UNAVAILABLE");
  return error as ChainError;
};

describe("what the chain says", () => {
  const vault = () =>
    endpoints.read("the vault", chain.settlement.vault, async (opened) => await opened.getVault());

  it("is what two endpoints say", async () => {
    expect((await vault()).lastEpoch).toBe(0);
    const { owner } = chain.settlement.operator;
    expect((await endpoints.account(owner.wallet.address)).balanceNano).toBe(
      chain.ton.balance(owner.wallet.address),
    );
    expect(waits).toBe(0);
  });

  it("is nothing when one of two lies, and the error tells what each said", async () => {
    crooked.bend = (method, result) =>
      method === "getAddressInformation" ? { ...(result as object), balance: "1" } : result;
    const { owner } = chain.settlement.operator;
    const { answers } = await refused(endpoints.account(owner.wallet.address), "disagreement");
    expect(answers.map(({ endpoint }) => endpoint)).toEqual([
      new URL(honest.url).origin,
      new URL(crooked.url).origin,
    ]);
    expect(waits).toBe(3);
  });

  it("is nothing when one of two fails, hangs up or talks nonsense", async () => {
    crooked.bend = () => {
      throw new Error("is down");
    };
    await refused(vault(), "unreachable");
    crooked.bend = () => ({ "@type": "nonsense" });
    await refused(vault(), "unreachable");
    crooked.bend = straight;
    expect((await vault()).lastEpoch).toBe(0);
  });

  it("is what two of three say, whatever the third does", async () => {
    await using third = await crookedEndpoint(chain.url);
    const three = new TonEndpoints({
      urls: [crooked.url, honest.url, third.url],
      wait: () => Promise.reject(new Error("waited")),
    });
    crooked.bend = (method, result) =>
      method === "getAddressInformation" ? { ...(result as object), balance: "1" } : result;
    const { address } = chain.settlement.operator.owner.wallet;
    expect((await three.account(address)).balanceNano).toBe(chain.ton.balance(address));
  });

  it("is waited for when one lags behind", async () => {
    const { address } = chain.settlement.operator.owner.wallet;
    let lag = 2;
    crooked.bend = (method, result) =>
      method === "getAddressInformation" && lag-- > 0 ? { ...(result as object), balance: "7" } : result;
    expect((await endpoints.account(address)).balanceNano).toBe(chain.ton.balance(address));
    expect(waits).toBe(2);
  });

  it("is not read from one endpoint named twice", () => {
    const wait = async () => {};
    expect(() => new TonEndpoints({ urls: [honest.url, honest.url], wait })).toThrow(RangeError);
  });
});

describe("an account that is watched", () => {
  let told: string[];
  let kept: Place | null;
  const watcher = (address: Address, page = 2, fail?: () => void) =>
    new AccountWatcher({
      endpoints,
      address,
      cursor: kept,
      page,
      onTransactions: async (transactions: readonly Transaction[], cursor) => {
        told.push(...transactions.map((transaction) => transaction.hash().toString("hex")));
        fail?.();
        kept = cursor;
      },
    });
  /** An account with a transaction for each of these. */
  const someone = async (count: number) => {
    const { address } = (await chain.person(gram(1))).wallet;
    for (let one = 1; one < count; one++) await chain.ton.faucet(address, gram(0.1));
    return address;
  };
  const all = (address: Address) =>
    chain.ton.transactions
      .transactionsOf(address.toRawString(), Number.MAX_SAFE_INTEGER, 0, 1_000)
      .map(({ hash }) => hash)
      .reverse();
  beforeEach(() => {
    told = [];
    kept = null;
  });

  it("tells each transaction once and in order, over pages, restarts and new ones", async () => {
    const address = await someone(5);
    const first = watcher(address);
    expect(await first.poll()).toBe(5);
    expect(await first.poll()).toBe(0);
    expect(told).toEqual(all(address));
    await chain.ton.faucet(address, gram(0.1));
    expect(await watcher(address).poll()).toBe(1);
    expect(told).toEqual(all(address));
    kept = null;
    told = [];
    expect(await watcher(address, 50).poll()).toBe(6);
    expect(told).toEqual(all(address));
  });

  it("is told again what its reader had not kept when it died", async () => {
    const address = await someone(3);
    const dies = () => {
      throw new Error("killed");
    };
    await expect(watcher(address, 2, dies).poll()).rejects.toThrow("killed");
    expect(kept).toBeNull();
    told = [];
    await watcher(address).poll();
    expect(told).toEqual(all(address));
  });

  it.each<[string, (list: unknown[]) => unknown[]]>([
    ["in the wrong order", (list) => [...list].reverse()],
    ["twice", (list) => [...list, ...list]],
  ])("is read right from an endpoint that lists transactions %s", async (_, bend) => {
    const address = await someone(5);
    crooked.bend = (method, result) => (method === "getTransactions" ? bend(result as unknown[]) : result);
    expect(await watcher(address).poll()).toBe(5);
    expect(told).toEqual(all(address));
  });

  it.each<[string, (list: { data: string }[], foreign: { data: string }) => unknown[]]>([
    ["leaves one out", (list) => list.slice(1)],
    ["puts another account's in", (list, foreign) => [foreign, ...list.slice(1)]],
    ["lists nothing", () => []],
  ])("tells nothing when one of two endpoints %s, and goes on when it is honest", async (_, bend) => {
    const address = await someone(3);
    const other = await someone(1);
    const foreign = (await (
      await fetch(`${chain.url}/getTransactions?address=${other.toRawString()}&limit=1`)
    ).json()) as { result: { data: string }[] };
    crooked.bend = (method, result) =>
      method === "getTransactions"
        ? bend(result as { data: string }[], foreign.result[0] as { data: string })
        : result;
    const watched = watcher(address);
    await refused(watched.poll(), "unreachable");
    expect(told).toEqual([]);
    crooked.bend = straight;
    expect(await watched.poll()).toBe(3);
    expect(told).toEqual(all(address));
  });

  it("tells what both have when one lags, the rest when it has caught up", async () => {
    const address = await someone(2);
    const before = await (await fetch(`${chain.url}/getAddressInformation?address=${address}`)).json();
    await chain.ton.faucet(address, gram(0.1));
    crooked.bend = (method, result) =>
      method === "getAddressInformation" ? (before as { result: unknown }).result : result;
    const watched = watcher(address);
    expect(await watched.poll()).toBe(2);
    expect(await watched.poll()).toBe(0);
    crooked.bend = straight;
    expect(await watched.poll()).toBe(1);
    expect(told).toEqual(all(address));
  });

  it("names a disagreement when each has another history", async () => {
    await using other = await localTon("over HTTP");
    const mine = await someone(1);
    await other.ton.faucet(mine, gram(9));
    const split = new TonEndpoints({ urls: [chain.url, other.url], wait: async () => {} });
    const watched = new AccountWatcher({
      endpoints: split,
      address: mine,
      cursor: null,
      onTransactions: () => Promise.reject(new Error("told")),
    });
    await refused(watched.poll(), "disagreement");
  });
});

describe("an operator's wallet", () => {
  let book: Map<string, SignedOrder>;
  let now: number;
  const orders: OrderBook = {
    find: async (_, id) => book.get(id),
    underWay: async () => [...book.values()].find(({ state }) => state === "sent"),
    keep: async (_, order) => void book.set(order.id, order),
  };
  const seed = randomBytes(32);
  const wallet = () => new OperatorWallet({ endpoints, orders, seed, globalId, now: () => now });
  const to = new Address(0, randomBytes(32));
  const pay = (nano = gram(0.5)) => [
    internal({ to, value: nano, bounce: false, body: comment("for the llamas") }),
  ];
  beforeEach(async () => {
    book = new Map();
    now = Date.now();
    await chain.ton.faucet(wallet().address, gram(5));
  });

  it("sends once what is ordered once, deployed by its first order, and finds it on the chain", async () => {
    const { state } = await wallet().advance("first", () => pay());
    expect(state).toBe("sent");
    expect(await wallet().advance("first", () => pay())).toMatchObject({ state: "done" });
    expect(await wallet().advance("first", () => pay())).toMatchObject({ state: "done" });
    expect(chain.ton.balance(to)).toBeGreaterThan(gram(0.49));
    expect(chain.ton.balance(to)).toBeLessThan(gram(0.51));
    await wallet().advance("second", () => pay());
    expect(chain.ton.balance(to)).toBeGreaterThan(gram(0.99));
  });

  it("loses nothing and pays once when it dies after signing, and when no endpoint took the message", async () => {
    const before = chain.ton.balance(to);
    const deaf = (method: string, result: unknown) => {
      if (method === "sendBoc") throw new Error("deaf");
      return result;
    };
    // Not forwarded at all: the endpoint fails before the chain hears of it.
    const keeper = {
      ...orders,
      keep: async (w: string, order: SignedOrder) => {
        await orders.keep(w, order);
        throw new Error("killed");
      },
    };
    const dying = new OperatorWallet({ endpoints, orders: keeper, seed, globalId, now: () => now });
    await expect(dying.advance("pay", () => pay())).rejects.toThrow("killed");
    expect(chain.ton.balance(to)).toBe(before);
    // Every answer to a sent message is lost, though the chain has it.
    honest.bend = deaf;
    crooked.bend = deaf;
    expect(await wallet().advance("pay", () => pay(gram(4)))).toMatchObject({ state: "sent" });
    honest.bend = straight;
    crooked.bend = straight;
    expect(await wallet().advance("pay", () => pay(gram(4)))).toMatchObject({ state: "done" });
    expect(chain.ton.balance(to) - before).toBeGreaterThan(gram(0.49));
    expect(chain.ton.balance(to) - before).toBeLessThan(gram(0.51));
  });

  it("lets one order wait for another, and signs one anew whose time has passed", async () => {
    chain.ton.setBlockDelay(100_000);
    expect(await wallet().advance("one", () => pay())).toMatchObject({ state: "sent" });
    expect(await wallet().advance("two", () => pay())).toEqual({ state: "waiting" });
    const [first] = book.values();
    now += 600_000;
    expect(await wallet().advance("one", () => pay())).toMatchObject({ state: "sent" });
    const again = book.get("one");
    expect(again?.seqno).toBe(first?.seqno);
    expect(again?.hash).not.toBe(first?.hash);
    expect(again?.validUntilAt).toBeGreaterThan(now);
  });

  it("orders anew when somebody else used its seqno", async () => {
    const other = new Map<string, SignedOrder>();
    const elsewhere: OrderBook = {
      find: async (_, id) => other.get(id),
      underWay: async () => [...other.values()].find(({ state }) => state === "sent"),
      keep: async (_, order) => void other.set(order.id, order),
    };
    // Signed with seqno 0 and kept, then somebody with the same key sends another with seqno 0 first.
    const keeper = {
      ...orders,
      keep: async (w: string, order: SignedOrder) => {
        await orders.keep(w, order);
        if (order.state === "sent" && book.size === 1 && other.size === 0) throw new Error("killed");
      },
    };
    const dying = new OperatorWallet({ endpoints, orders: keeper, seed, globalId, now: () => now });
    await expect(dying.advance("mine", () => pay())).rejects.toThrow("killed");
    const twin = new OperatorWallet({ endpoints, orders: elsewhere, seed, globalId, now: () => now });
    await twin.advance("theirs", () => pay(gram(1)));
    expect(await wallet().advance("mine", () => pay())).toMatchObject({ state: "sent" });
    expect(book.get("mine")?.seqno).toBe(1);
    expect(await wallet().advance("mine", () => pay())).toMatchObject({ state: "done" });
  });

  it("does nothing while the endpoints do not agree about it", async () => {
    crooked.bend = (method, result) =>
      method === "getAddressInformation" ? { ...(result as object), balance: "1" } : result;
    await refused(
      wallet().advance("first", () => pay()),
      "disagreement",
    );
    expect(book.size).toBe(0);
  });
});
