import {
  Address,
  beginCell,
  Cell,
  external,
  internal,
  loadStateInit,
  SendMode,
  storeMessage,
  storeStateInit,
} from "@ton/core";
import * as z from "zod";
import type { KeyedWallet } from "../chain/settlement/operator-keys.ts";
import { clientInProcess } from "../chain/ton/client.ts";
import type { LocalTon } from "../chain/ton/local-ton.ts";
import { signTonProof } from "./ton-proof.ts";
import type { WalletRequest } from "./wallet-request.ts";

/** How its holder answers: asked in a dialog, or as a test has decided before. */
export type Verdict = "approve" | "reject" | "silence";

/** A request before it has its number. */
type Unnumbered<T> = T extends unknown ? Omit<T, "id"> : never;
type Question = Unnumbered<WalletRequest>;

const connectSchema = z.object({
  manifestUrl: z.url(),
  items: z.array(
    z.discriminatedUnion("name", [
      z.object({ name: z.literal("ton_addr") }),
      z.object({ name: z.literal("ton_proof"), payload: z.string().max(128) }),
    ]),
  ),
});

const rpcSchema = z.object({
  method: z.string(),
  id: z.union([z.string(), z.number()]).transform(String),
  params: z.array(z.string()).default([]),
});

const transferSchema = z.object({
  valid_until: z.number().optional(),
  network: z.string().optional(),
  from: z.string().optional(),
  messages: z
    .array(
      z.object({
        address: z.string(),
        amount: z.string().regex(/^[0-9]+$/),
        payload: z.string().nullish(),
        stateInit: z.string().nullish(),
      }),
    )
    .min(1)
    .max(4),
});

/** TON Connect's codes. */
const badRequest = 1;
const unknownApp = 100;
const rejected = 300;
const unsupported = 400;

const oneGram = 1_000_000_000n;
/** What its holder gets from the faucet when it is empty. */
const giftNano = 20n * oneGram;

export const deviceInfo = {
  platform: "browser",
  appName: "bombyx-devnet-wallet",
  appVersion: "1",
  maxProtocolVersion: 2,
  features: ["SendTransaction", { name: "SendTransaction", maxMessages: 4 }],
} as const;

/**
 * A wallet for a devnet: a real key and a W5 contract on the local TON, behind TON Connect's requests. Nothing is
 * signed before its holder said yes.
 */
export class LocalWallet {
  readonly keyed: KeyedWallet;
  /** As TON Connect names it. A test sets another to see what a page makes of it. */
  network: string;
  /** @default asks its holder */
  verdict: Verdict | "ask" = "ask";
  readonly #ton: () => Promise<LocalTon>;
  readonly #asked = new Map<number, { shown: WalletRequest; answer: (yes: boolean) => void }>();
  readonly #listeners = new Set<() => void>();
  #next = 1;
  /** Hosts of the apps that it is connected with. */
  readonly #connected = new Set<string>();

  constructor(keyed: KeyedWallet, globalId: number, ton: () => Promise<LocalTon>) {
    this.keyed = keyed;
    this.network = String(globalId);
    this.#ton = ton;
  }

  get address(): Address {
    return this.keyed.wallet.address;
  }

  /** What waits for an answer, oldest first. */
  get requests(): readonly WalletRequest[] {
    return [...this.#asked.values()].map(({ shown }) => shown);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @throws Error when nothing of that number waits. */
  answer(id: number, yes: boolean): void {
    const asked = this.#asked.get(id);
    if (!asked) throw new Error("The wallet is not asked that any more.");
    asked.answer(yes);
  }

  /** @param signal whoever asked is gone, and the question with it. */
  async connect(request: unknown, signal: AbortSignal): Promise<object> {
    const parsed = connectSchema.safeParse(request);
    if (!parsed.success) return connectError(badRequest, z.prettifyError(parsed.error));
    const { host } = new URL(parsed.data.manifestUrl);
    if (!(await this.#ask({ kind: "connect", app: host }, signal))) {
      return connectError(rejected, "The holder declined.");
    }
    await this.#fill();
    this.#connected.add(host);
    const payload = parsed.data.items.find((item) => item.name === "ton_proof")?.payload;
    return this.#connectEvent(host, payload);
  }

  restore(host: string): object {
    if (!this.#connected.has(host)) return connectError(unknownApp, "This app is not connected.");
    return this.#connectEvent(host, undefined);
  }

  disconnect(host: string): void {
    this.#connected.delete(host);
  }

  async send(host: string, request: unknown, signal: AbortSignal): Promise<object> {
    const rpc = rpcSchema.safeParse(request);
    if (!rpc.success) return { id: "0", error: { code: badRequest, message: z.prettifyError(rpc.error) } };
    const { id, method, params } = rpc.data;
    const refused = (code: number, message: string) => ({ id, error: { code, message } });
    if (method === "disconnect") {
      this.disconnect(host);
      return { id, result: {} };
    }
    if (method !== "sendTransaction") return refused(unsupported, `This wallet has no ${method}.`);
    if (!this.#connected.has(host)) return refused(unknownApp, "This app is not connected.");
    try {
      const transfer = transferSchema.parse(JSON.parse(params[0] ?? ""));
      const boc = await this.#transfer(host, transfer, signal);
      return boc === undefined ? refused(rejected, "The holder declined.") : { id, result: boc };
    } catch (error) {
      return refused(badRequest, error instanceof Error ? error.message : String(error));
    }
  }

  /** @returns the BoC that was sent; `undefined` when the holder declined. */
  async #transfer(
    host: string,
    { network, from, valid_until: until, messages }: z.output<typeof transferSchema>,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    if (network !== undefined && network !== this.network)
      throw new Error(`This wallet is on ${this.network}.`);
    if (from !== undefined && !Address.parse(from).equals(this.address))
      throw new Error("Another wallet is meant.");
    const outgoing = messages.map(({ address, amount, payload, stateInit }) => {
      if (!Address.isFriendly(address)) throw new Error("Wrong 'address' format: it must be friendly.");
      const { address: to, isBounceable } = Address.parseFriendly(address);
      const init = stateInit ? loadStateInit(Cell.fromBase64(stateInit).beginParse()) : undefined;
      return internal({
        to,
        value: BigInt(amount),
        bounce: isBounceable,
        ...(init && { init }),
        ...(payload && { body: Cell.fromBase64(payload) }),
      });
    });
    const shown = messages.map(({ address, amount, stateInit }) => ({
      to: address,
      nano: amount,
      deploys: Boolean(stateInit),
    }));
    if (!(await this.#ask({ kind: "send", app: host, messages: shown }, signal))) return undefined;
    const ton = await this.#ton();
    if (until !== undefined && until * 1_000 < ton.now()) throw new Error("The request is out of date.");
    const { wallet, keys } = this.keyed;
    const seqno = await clientInProcess(ton).open(wallet).getSeqno();
    const body = wallet.createTransfer({
      seqno,
      secretKey: keys.secretKey,
      authType: "external",
      sendMode: SendMode.PAY_GAS_SEPARATELY | SendMode.IGNORE_ERRORS,
      messages: outgoing,
      ...(until !== undefined && { timeout: until }),
    });
    const message = external({ to: this.address, body, ...(seqno === 0 && { init: wallet.init }) });
    const boc = beginCell().store(storeMessage(message)).endCell().toBoc();
    await ton.send(boc);
    return boc.toString("base64");
  }

  #connectEvent(host: string, payload: string | undefined): object {
    const { wallet, keys } = this.keyed;
    const init = beginCell().store(storeStateInit(wallet.init)).endCell();
    const items: object[] = [
      {
        name: "ton_addr",
        address: this.address.toRawString(),
        network: this.network,
        publicKey: keys.publicKey.toString("hex"),
        walletStateInit: init.toBoc().toString("base64"),
      },
    ];
    if (payload !== undefined) {
      const proof = signTonProof(this.address, keys.secretKey, { domain: host, payload, at: Date.now() });
      items.push({ name: "ton_proof", proof });
    }
    return { event: "connect", id: this.#next++, payload: { items, device: deviceInfo } };
  }

  /** @returns whether its holder agrees. */
  #ask(question: Question, signal: AbortSignal): Promise<boolean> {
    if (this.verdict === "approve" || this.verdict === "reject") {
      return Promise.resolve(this.verdict === "approve");
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    // Whoever never answers is not shown a dialog either.
    if (this.verdict === "silence") return promise;
    const id = this.#next++;
    const end = (yes: boolean) => {
      if (!this.#asked.delete(id)) return;
      this.#changed();
      resolve(yes);
    };
    this.#asked.set(id, { shown: { ...question, id } as WalletRequest, answer: end });
    signal.addEventListener("abort", () => end(false), { once: true });
    this.#changed();
    return promise;
  }

  async #fill(): Promise<void> {
    const ton = await this.#ton();
    if (ton.balance(this.address) >= oneGram) return;
    await ton.faucet(this.address, giftNano);
    await ton.settled();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

const connectError = (code: number, message: string) => ({
  event: "connect_error",
  id: 0,
  payload: { code, message },
});
