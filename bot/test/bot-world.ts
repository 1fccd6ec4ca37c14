import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type BotAccount,
  type LocalBotApi,
  type LocalBotApiOptions,
  type Person,
  type RecordedCall,
  startLocalBotApi,
  type Telegram,
} from "@bombyx/devnet/bot-api";
import { type Clock, systemClock } from "../src/clock.ts";
import { createLog } from "../src/log.ts";
import { type Service, type ServiceOptions, startService } from "../src/service.ts";
import { ScriptedAnswerer } from "./scripted-answerer.ts";
import { ScriptedTill } from "./scripted-till.ts";

export interface BotWorldOptions {
  readonly limits?: LocalBotApiOptions["limits"];
  readonly config?: Partial<ServiceOptions["config"]>;
  readonly pace?: ServiceOptions["pace"];
  /** The bot's policy is the open tier. @default false */
  readonly openTier?: boolean;
  readonly bot?: Parameters<Telegram["createBot"]>[0];
  /** Sells credit at this price; the operator is a person of this Telegram. */
  readonly nanoPerStar?: bigint;
  /** The bot's clock runs so many times faster, where it is to wait for long. @default 1 */
  readonly speed?: number;
}

/** A bot in front of a local Bot API, with people to talk to it and a model that says what the test wrote. */
export interface BotWorld extends AsyncDisposable {
  readonly api: LocalBotApi;
  readonly telegram: Telegram;
  readonly account: BotAccount;
  readonly answerer: ScriptedAnswerer;
  readonly till: ScriptedTill;
  /** Who answers for payments; nothing is sold unless `nanoPerStar` was given. */
  readonly operator: Person;
  readonly service: Service;
  readonly dataDir: string;
  /** Stops the bot and starts it again on its store, when so much time has passed. */
  restart(afterMs?: number): Promise<void>;
  /** What the bot asked of the API, as methods and payloads. */
  calls(...methods: string[]): RecordedCall[];
}

export async function startBotWorld(options: BotWorldOptions = {}): Promise<BotWorld> {
  const api = await startLocalBotApi({ limits: options.limits ?? "off" });
  const account = await api.telegram.createBot({ username: "bombyx_bot", ...options.bot });
  const dataDir = mkdtempSync(join(tmpdir(), "bombyx-bot-"));
  const answerer = new ScriptedAnswerer();
  answerer.openTier = options.openTier ?? false;
  const till = new ScriptedTill();
  const operator = await api.telegram.createPerson();
  const { nanoPerStar } = options;
  const start = (afterMs = 0) =>
    startService({
      config: {
        token: account.token,
        apiRoot: api.url,
        dataDir,
        miniApp: { url: "http://127.0.0.1:5173/" },
        historyMs: 86_400_000,
        maxAnswerTokens: 256,
        drainMs: 5_000,
        ...(nanoPerStar !== undefined && { sale: { nanoPerStar, operatorId: operator.id } }),
        ...options.config,
      },
      answerer,
      till,
      log: createLog(process.env.BOT_TEST_LOG ?? "silent"),
      pace: options.pace ?? { draftMs: 5, editMs: 5, refreshMs: 20_000 },
      gapMs: () => 0,
      clock: fasterClock(options.speed ?? 1, afterMs),
    });
  let service = await start();
  return {
    api,
    telegram: api.telegram,
    account,
    answerer,
    till,
    operator,
    dataDir,
    get service() {
      return service;
    },
    async restart(afterMs) {
      await service.stop();
      service = await start(afterMs);
    },
    calls: (...methods) => api.telegram.calls.filter(({ method }) => methods.includes(method)),
    async [Symbol.asyncDispose]() {
      await service.stop();
      await api.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function fasterClock(speed: number, aheadMs: number): Clock {
  const begunAt = Date.now();
  return {
    now: () => begunAt + aheadMs + (Date.now() - begunAt) * speed,
    after: (delayMs, run) => systemClock.after(Math.ceil(delayMs / speed), run),
  };
}

/** The words of what a call sends, in whichever form. */
export function wordsOf({ payload }: Pick<RecordedCall, "payload">): string {
  const text = payload.text;
  return typeof text === "string" ? text : richWords(payload.rich_message);
}

/** Every text in a rich message, in order. */
function richWords(part: unknown): string {
  if (typeof part === "string") return part;
  if (Array.isArray(part)) return part.map(richWords).join("");
  if (typeof part !== "object" || part === null) return "";
  return ["blocks", "items", "cells", "text"].map((field) => richWords(Reflect.get(part, field))).join("");
}

const writing = ["sendMessage", "sendRichMessage", "editMessageText"];
const drafting = ["sendMessageDraft", "sendRichMessageDraft"];

/** Resolves with the newest message with these words that Telegram took, and its id. */
export async function sent(
  world: BotWorld,
  words: string,
): Promise<RecordedCall & { readonly messageId: number }> {
  const call = await world.telegram.until(() => found(world, writing, words));
  const result = call.response?.ok === true ? call.response.result : undefined;
  return { ...call, messageId: Number(Reflect.get(Object(result), "message_id")) };
}

/** Resolves when a draft with these words is on the screen. */
export const drafted = (world: BotWorld, words: string): Promise<RecordedCall> =>
  world.telegram.until(() => found(world, drafting, words));

const found = (world: BotWorld, methods: readonly string[], words: string): RecordedCall | undefined =>
  world.calls(...methods).findLast((call) => call.response?.ok === true && wordsOf(call).includes(words));
