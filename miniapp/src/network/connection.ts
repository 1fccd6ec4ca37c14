import type { BombyxClient, ClientEvent, Proof } from "@bombyx/sdk";
import { readDeployment } from "../launch/deployment.ts";
import type { Launch } from "../telegram/launch.ts";
import { type Failure, failureOf, passesByItself } from "./failure.ts";
import { type HeldToken, keepToken, keptToken } from "./token-shelf.ts";

export interface Model {
  readonly id: string;
  readonly contextTokens: number;
  /** Nodes that serve it now, as the gateway says. */
  readonly nodes: number;
}

/** What the page knows of the network. Nothing can be sent in any phase but `sealed`. */
export type ConnectionState = {
  readonly models: readonly Model[];
  readonly model: string | undefined;
} & (
  | { readonly phase: "opening" }
  | { readonly phase: "refused"; readonly failure: Failure }
  | {
      readonly phase: "sealed";
      readonly client: BombyxClient;
      readonly model: string;
      readonly proof: Proof /** Of the node that takes over when this one is lost. */;
      readonly standby: Proof | undefined;
    }
);

/** Who this person is to the gateway; for the tabs that show an account. */
export interface Account {
  readonly gateway: string;
  readonly botId: number;
  /** A short-lived token, exchanged anew shortly before it ends: the SDK's `apiKey`. */
  readonly apiKey: () => Promise<string>;
}

/** The module that holds the exchange, when it is needed. */
export type LoadExchange = () => Promise<Pick<typeof import("@bombyx/sdk"), "exchangeInitData">>;

/** A token is used no longer than this before its end. */
const tokenMarginMs = 60_000;
const retryMs = [1_500, 3_000, 6_000, 12_000] as const;
const modelKey = "bombyx/model";

/**
 * The page's one way to the network: token, models, and a session with a verified node, opened ahead. The SDK
 * (with libsodium) is loaded only here, so that the first paint does not wait for it.
 */
export class Connection {
  readonly #launch: Launch;
  readonly #loadExchange: LoadExchange;
  readonly #listeners = new Set<() => void>();
  readonly #watchers = new Set<(event: ClientEvent) => void>();
  #state: ConnectionState = { phase: "opening", models: [], model: undefined };
  #account: Promise<Account> | undefined;
  #client: Promise<BombyxClient> | undefined;
  #wanted: string | undefined = keptModel();
  #opening: Promise<void> | undefined;
  #retries = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param exchange what trades init data for a token. @default that of the SDK, which a chat loads anyway
   */
  constructor(launch: Launch, exchange: LoadExchange = () => import("@bombyx/sdk")) {
    this.#launch = launch;
    this.#loadExchange = exchange;
  }

  /** Whose conversations this page shows. */
  get user(): number | undefined {
    return this.#launch.user;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): ConnectionState => this.#state;

  /** The SDK's own events: sessions, refusals, losses. */
  readonly watch = (watcher: (event: ClientEvent) => void): (() => void) => {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };

  /** Verifies and opens a session; again after a refusal. Cheap when one is open. */
  readonly open = (): Promise<void> => {
    clearTimeout(this.#retryTimer);
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  };

  /** Chooses among {@link ConnectionState.models}; kept on the device. */
  readonly choose = async (model: string): Promise<void> => {
    this.#wanted = model;
    quietly(() => localStorage.setItem(modelKey, model));
    await this.#opening;
    this.#set({ phase: "opening", models: this.#state.models, model });
    await this.open();
  };

  /** Who asks, for the other tabs. @throws BombyxError when Telegram's word is not taken; Error for the setup. */
  readonly account = (): Promise<Account> => {
    this.#account ??= this.#exchange().catch((error: unknown) => {
      this.#account = undefined;
      throw error;
    });
    return this.#account;
  };

  async #open(): Promise<void> {
    const { models, model, phase } = this.#state;
    if (phase === "refused") this.#set({ phase: "opening", models, model });
    try {
      const client = await this.#connected();
      // The list changes as nodes come and go; one that is shown already is refreshed without waiting.
      const { data } = await client.models.list();
      const listed = data.map(({ id, contextTokens, nodes }) => ({ id, contextTokens, nodes }));
      const chosen = (listed.find(({ id }) => id === this.#wanted) ?? listed[0])?.id;
      if (chosen === undefined) {
        if (this.#state.phase === "sealed") return;
        this.#refuse({ code: "NO_CANDIDATE" }, []);
        return;
      }
      if (this.#state.phase !== "sealed") this.#set({ phase: "opening", models: listed, model: chosen });
      await client.prepare({ model: chosen });
      const proof = client.proof({ model: chosen });
      if (!proof) throw new RangeError("a prepared client has a proof");
      this.#retries = 0;
      const standby = client.standby({ model: chosen });
      this.#set({ phase: "sealed", models: listed, model: chosen, client, proof, standby });
    } catch (error) {
      const failure = failureOf(error);
      // Looked at again while a session is open: a gateway that is away for a moment takes nothing from it.
      if (this.#state.phase === "sealed" && passesByItself(failure)) return;
      this.#refuse(failure, this.#state.models);
    }
  }

  #refuse(failure: Failure, models: readonly Model[]): void {
    this.#set({ phase: "refused", failure, models, model: this.#state.model });
    if (!passesByItself(failure)) return;
    const wait = retryMs[Math.min(this.#retries++, retryMs.length - 1)];
    this.#retryTimer = setTimeout(() => void this.open(), Math.max(wait ?? 0, failure.retryAfterMs ?? 0));
  }

  #connected(): Promise<BombyxClient> {
    this.#client ??= this.#connect().catch((error: unknown) => {
      this.#client = undefined;
      throw error;
    });
    return this.#client;
  }

  async #connect(): Promise<BombyxClient> {
    const [{ BombyxClient }, { default: policy }, { gateway, apiKey }] = await Promise.all([
      import("@bombyx/sdk"),
      import("bombyx:policy"),
      this.account(),
    ]);
    const client = new BombyxClient({ gateway, apiKey, policy });
    client.observe((event) => {
      this.#follow(client);
      for (const watcher of this.#watchers) watcher(event);
    });
    return client;
  }

  /** The node that answers may have become another: after a loss, or with a new epoch. */
  #follow(client: BombyxClient): void {
    const state = this.#state;
    if (state.phase !== "sealed") return;
    const proof = client.proof({ model: state.model });
    const standby = client.standby({ model: state.model });
    if (proof && (proof !== state.proof || standby !== state.standby))
      this.#set({ ...state, proof, standby });
  }

  /** Looks again at what the client holds; called when an answer ended, on whichever node. */
  readonly refresh = (): void => {
    if (this.#state.phase === "sealed") this.#follow(this.#state.client);
  };

  async #exchange(): Promise<Account> {
    const [{ exchangeInitData }, { gateway, botId }] = await Promise.all([
      this.#loadExchange(),
      readDeployment(),
    ]);
    const owner = { gateway, botId, user: this.#launch.user };
    const exchange = async (): Promise<HeldToken> => {
      const held = await exchangeInitData({ gateway, botId, initData: this.#launch.initData });
      keepToken(owner, held);
      return held;
    };
    const lives = ({ expiresAt }: HeldToken) => expiresAt - Date.now() > tokenMarginMs;
    const kept = keptToken(owner);
    let held: Promise<HeldToken> = kept && lives(kept) ? Promise.resolve(kept) : exchange();
    await held;
    return {
      gateway,
      botId,
      apiKey: async () => {
        const { token, expiresAt } = await held;
        if (lives({ token, expiresAt })) return token;
        const renewed = exchange();
        renewed.then(
          () => {
            held = renewed;
          },
          () => undefined,
        );
        return (await renewed).token;
      },
    };
  }

  #set(state: ConnectionState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

const keptModel = (): string | undefined => quietly(() => localStorage.getItem(modelKey)) ?? undefined;

function quietly<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
