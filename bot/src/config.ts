import { resolve } from "node:path";
import * as z from "zod";

/** What the bot runs with; {@link readConfig} makes it from environment variables. */
export interface BotConfig {
  readonly token: string;
  readonly apiRoot: string;
  /** Polling when left out. */
  readonly webhook?: {
    readonly url: string;
    readonly secret: string;
    readonly host: string;
    readonly port: number;
  };
  readonly gateway: string;
  readonly apiKey: string;
  readonly allowHttp: boolean;
  /** Module or JSON file of a policy; the sdk's strict policy when left out. */
  readonly policyFile?: string;
  /** The model of people who chose none; the first that the gateway offers when left out. */
  readonly model?: string;
  readonly dataDir: string;
  /** Encrypts the store; made in the data directory when left out. */
  readonly storeKey?: Uint8Array;
  /** The Mini App, or why there is none. */
  readonly miniApp: MiniApp;
  /** Credit for Telegram Stars; nothing is sold when left out. */
  readonly sale?: StarSale;
  readonly historyMs: number;
  readonly maxAnswerTokens: number;
  readonly drainMs: number;
  readonly logLevel: string;
  readonly readyJson: boolean;
}

export interface StarSale {
  /** nanoTON of credit for one Star. */
  readonly nanoPerStar: bigint;
  /** Telegram user id of whoever answers /paysupport and gives Stars back. */
  readonly operatorId: number;
}

export type MiniApp = { readonly url: string } | { readonly url?: undefined; readonly reason: string };

/** An environment variable that the bot cannot use. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

const integer = (least: number, most: number) => {
  const takes = `takes an integer from ${least} to ${most}`;
  return z.coerce.number(takes).int(takes).min(least, takes).max(most, takes);
};

const httpUrl = z.url({ protocol: /^https?$/, error: "takes an http(s) URL" });
const isLoopback = (url: string): boolean =>
  /^(127(\.\d{1,3}){3}|\[::1\]|localhost)$/.test(new URL(url).hostname);

const environmentSchema = z
  .object({
    BOT_TOKEN: z
      .string("is missing: @BotFather gives it, see docs/bot-developer.md")
      .regex(/^\d+:[\w-]{30,}$/, "takes the token that @BotFather gave, like 123456:ABC…"),
    BOT_API_ROOT: httpUrl.default("https://api.telegram.org"),
    BOT_WEBHOOK: httpUrl.optional(),
    BOT_WEBHOOK_SECRET: z
      .string()
      .regex(/^[\w-]{16,256}$/, "takes 16 to 256 of A-Z a-z 0-9 _ -")
      .optional(),
    BOT_WEBHOOK_HOST: z.string().min(1).default("127.0.0.1"),
    BOT_WEBHOOK_PORT: integer(0, 65_535).default(8_443),
    BOMBYX_GATEWAY: z.url({ protocol: /^https?$/, error: "is missing: takes the URL of a gateway" }),
    BOMBYX_API_KEY: z.string("is missing: takes a key of this bot, see docs/bot-developer.md").min(1),
    BOMBYX_ALLOW_HTTP: z.stringbool("takes true or false").default(false),
    BOMBYX_POLICY: z.string().min(1).optional(),
    BOMBYX_MODEL: z.string().min(1).max(128).optional(),
    BOT_DATA_DIR: z.string().min(1).default("bot-data"),
    BOT_STORE_KEY: z
      .string()
      .regex(/^[0-9a-f]{64}$/i, "takes 64 hex digits, for example of `openssl rand -hex 32`")
      .optional(),
    PUBLIC_URL: z.string().optional(),
    BOT_OPERATOR_ID: integer(1, 2 ** 52 - 1).optional(),
    BOT_NANO_PER_STAR: z
      .string()
      .regex(/^[1-9][0-9]{0,11}$/, "takes nanoTON above 0, in at most 12 decimal digits")
      .default("5000000"),
    BOT_HISTORY_HOURS: integer(1, 24 * 30).default(24),
    BOT_MAX_ANSWER_TOKENS: integer(16, 16_384).default(1_024),
    BOT_DRAIN_MS: integer(0, 600_000).default(25_000),
    BOT_LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),
    BOT_READY_JSON: z.stringbool("takes 1 or 0").default(false),
  })
  .superRefine((environment, context) => {
    if (environment.BOT_WEBHOOK !== undefined && environment.BOT_WEBHOOK_SECRET === undefined) {
      context.addIssue({
        code: "custom",
        path: ["BOT_WEBHOOK_SECRET"],
        message: "is missing: with BOT_WEBHOOK it proves that an update comes from Telegram",
      });
    }
  });

/**
 * @param env `process.env`; an empty variable counts as absent.
 * @throws ConfigError naming each variable, and what it takes. Values are not repeated: some are secrets.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): BotConfig {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const parsed = environmentSchema.safeParse(given);
  if (!parsed.success) {
    const lines = parsed.error.issues.map(({ path, message }) => `${path.join(".")} ${message}.`);
    throw new ConfigError(lines.join("\n"));
  }
  const read = parsed.data;
  return {
    token: read.BOT_TOKEN,
    apiRoot: read.BOT_API_ROOT,
    ...(read.BOT_WEBHOOK !== undefined &&
      read.BOT_WEBHOOK_SECRET !== undefined && {
        webhook: {
          url: read.BOT_WEBHOOK,
          secret: read.BOT_WEBHOOK_SECRET,
          host: read.BOT_WEBHOOK_HOST,
          port: read.BOT_WEBHOOK_PORT,
        },
      }),
    gateway: read.BOMBYX_GATEWAY,
    apiKey: read.BOMBYX_API_KEY,
    allowHttp: read.BOMBYX_ALLOW_HTTP,
    ...(read.BOMBYX_POLICY !== undefined && { policyFile: resolve(read.BOMBYX_POLICY) }),
    ...(read.BOMBYX_MODEL !== undefined && { model: read.BOMBYX_MODEL }),
    dataDir: resolve(read.BOT_DATA_DIR),
    ...(read.BOT_STORE_KEY !== undefined && { storeKey: Buffer.from(read.BOT_STORE_KEY, "hex") }),
    miniApp: readMiniApp(read.PUBLIC_URL, read.BOT_API_ROOT),
    ...(read.BOT_OPERATOR_ID !== undefined && {
      sale: { nanoPerStar: BigInt(read.BOT_NANO_PER_STAR), operatorId: read.BOT_OPERATOR_ID },
    }),
    historyMs: read.BOT_HISTORY_HOURS * 3_600_000,
    maxAnswerTokens: read.BOT_MAX_ANSWER_TOKENS,
    drainMs: read.BOT_DRAIN_MS,
    logLevel: read.BOT_LOG_LEVEL,
    readyJson: read.BOT_READY_JSON,
  };
}

/** Telegram opens https only; a Bot API on this machine also opens pages of this machine. */
function readMiniApp(url: string | undefined, apiRoot: string): MiniApp {
  if (url === undefined) return { reason: "PUBLIC_URL is not set" };
  if (!URL.canParse(url)) return { reason: "PUBLIC_URL is not a URL" };
  const { protocol } = new URL(url);
  if (protocol === "https:" || (protocol === "http:" && isLoopback(url) && isLoopback(apiRoot)))
    return { url };
  return { reason: "PUBLIC_URL is not https, and Telegram opens nothing else" };
}
