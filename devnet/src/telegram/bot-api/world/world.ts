import type { Update } from "@grammyjs/types";
import type { Clock, DraftView, Fault, RecordedCall, TelegramEventBody } from "../interface.ts";
import type { EventLog } from "./event-log.ts";
import type { FloodControl } from "./flood.ts";
import type { State } from "./state.ts";

/** One Telegram: what is kept, what is passing, and the means to tell others of a change. */
export interface World {
  readonly state: State;
  readonly clock: Clock;
  readonly random: (bytes: number) => Uint8Array;
  readonly events: EventLog;
  /** Undefined when limits are off. */
  readonly flood: FloodControl | undefined;
  readonly passing: Passing;
  /** The state has changed and must be on disk before anybody is told so: see {@link World.kept}. */
  changed(): void;
  /** Resolves when everything that has changed so far is kept. */
  kept(): Promise<void>;
  readonly blobs: BlobStore;
}

/** What a restart may forget. */
export interface Passing {
  /** By chat key. */
  readonly drafts: Map<string, LiveDraft[]>;
  /** `<chat key> <draft id>` of drafts whose Stop was pressed. */
  readonly stoppedDrafts: Set<string>;
  readonly actions: Map<string, { readonly action: string; readonly cancel: () => void }>;
  readonly callbackQueries: Map<string, OpenQuery>;
  readonly preCheckouts: Map<string, OpenPreCheckout>;
  readonly inlineQueries: Map<string, (results: readonly unknown[]) => void>;
  readonly calls: RecordedCall[];
  readonly faults: { readonly fault: Fault; left: number }[];
  /** Called when a bot has something new to fetch. */
  readonly wake: Map<number, () => void>;
  /** Ends the long poll of a bot with a conflict. */
  readonly polls: Map<number, (reason: string) => void>;
  /** Set by the sender of webhooks: starts, stops or restarts it for a bot. */
  webhookChanged: (botId: number) => void;
  /** Updates that a test delivers once more, by bot. */
  readonly replays: Map<number, readonly Update[]>;
  /** Delivered updates by id, the newest of each bot, so that they can be delivered once more. */
  readonly delivered: Map<number, { readonly botId: number; readonly update: Update }>;
}

export interface LiveDraft extends DraftView {
  readonly cancelExpiry: () => void;
}

export interface OpenQuery {
  readonly botId: number;
  readonly chatKey: string;
  readonly answer: (answer: { text: string; showAlert: boolean; url?: string }) => void;
}

export interface OpenPreCheckout {
  readonly botId: number;
  readonly answer: (answer: { readonly ok: true } | { readonly ok: false; readonly reason: string }) => void;
}

/** Contents of files. */
export interface BlobStore {
  put(path: string, bytes: Uint8Array): Promise<void>;
  get(path: string): Promise<Uint8Array | undefined>;
}

export function emit(world: World, body: TelegramEventBody): void {
  world.events.append(body);
}

/** Telegram's instants are whole seconds. */
export const unixTime = (world: World): number => Math.floor(world.clock.now() / 1_000);

/** An id for things that only have to be told apart: digits, as Telegram's query ids are. */
export function newDigits(world: World, count = 18): string {
  const digits = [...world.random(count)].map((byte) => byte % 10).join("");
  return `1${digits.slice(1)}`;
}

export function newToken(world: World, bytes = 24): string {
  return Buffer.from(world.random(bytes)).toString("base64url");
}

export function noPassing(): Passing {
  return {
    drafts: new Map(),
    stoppedDrafts: new Set(),
    actions: new Map(),
    callbackQueries: new Map(),
    preCheckouts: new Map(),
    inlineQueries: new Map(),
    calls: [],
    faults: [],
    wake: new Map(),
    polls: new Map(),
    webhookChanged: () => undefined,
    replays: new Map(),
    delivered: new Map(),
  };
}
