import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import {
  type AttestationPolicy,
  attestationPolicySchema,
  registrySchema,
  strictPolicy,
} from "@bombyx/protocol/attestation";
import { count, hex, nano } from "@bombyx/protocol/wire";
import * as z from "zod";
import { parseCidr } from "./accounts/client-addresses.ts";
import { type CreditPolicy, defaultCreditPolicy } from "./credit/purses.ts";
import { builtInPrice, type DefaultPrice, type PriceRow } from "./prices.ts";
import { type SettlementConfig, settlementConfigSchema } from "./settlement/settlement-config.ts";

/** What the gateway runs with; {@link readConfig} makes it from environment variables. */
export interface GatewayConfig {
  readonly host: string;
  readonly port: number;
  readonly metricsHost: string;
  readonly metricsPort: number;
  /** Accounts, ledger, bundles and the ack key. */
  readonly dataDir: string;
  /** Judges nodes; `strictPolicy` unless a simulation was asked for. */
  readonly policy: AttestationPolicy;
  /** Lists nodes without a quote, for clients that ask for the open tier. @default false: they are refused */
  readonly openTier?: boolean;
  readonly chainEndpoints: readonly string[];
  readonly prices: readonly PriceRow[];
  readonly defaultPrice: DefaultPrice;
  /** Without it, nothing is settled on chain. */
  readonly settlement?: SettlementConfig;
  /** JSON file with the registry's lists, read again every five minutes; with it, no node is taken that they do not admit. */
  readonly registryFile?: string;
  /** Networks (CIDR) of the operator's own proxies, whose `X-Forwarded-For` is believed. @default none */
  readonly trustedProxies?: readonly string[];
  /** Pages that may call the API, as origins. */
  readonly origins: readonly string[];
  /** The operator's part of what is charged, in 1/10000. */
  readonly feeBps: number;
  /** Ed25519 keys (hex) that sign init data; Telegram's own unless a simulation was asked for. */
  readonly initDataKeys?: readonly string[];
  /** What people get on their bot developer's account. @default the built-in policy */
  readonly credit?: CreditPolicy;
  readonly queuePerSlot: number;
  readonly queueDeadlineMs: number;
  readonly drainMs: number;
  /** A lost attempt's money waits this long for a receipt of its client or its returning node. */
  readonly lostGraceMs: number;
  readonly logLevel: string;
}

export const defaultDataDir = "bombyx-gateway";

/** An environment variable that the gateway cannot use. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

const integer = (least: number, most: number) => {
  const takes = `takes an integer from ${least} to ${most}`;
  return z.coerce.number(takes).int(takes).min(least, takes).max(most, takes);
};
const port = integer(0, 65_535);
const milliseconds = integer(0, 3_600_000);
const decimalNano = z
  .string()
  .regex(/^[0-9]{1,18}$/, "takes nanoTON in at most 18 decimal digits")
  .transform((text) => BigInt(text));
const list = z
  .string()
  .transform((text) => text.split(",").map((item) => item.trim()))
  .transform((items) => items.filter((item) => item !== ""));

const environmentSchema = z.object({
  BOMBYX_HOST: z.string().min(1).default("127.0.0.1"),
  BOMBYX_PORT: port.default(8_780),
  BOMBYX_METRICS_HOST: z.string().min(1).default("127.0.0.1"),
  BOMBYX_METRICS_PORT: port.default(9_464),
  BOMBYX_DATA_DIR: z.string().min(1).default(defaultDataDir),
  BOMBYX_SIMULATION: z.string().min(1).optional(),
  BOMBYX_OPEN_TIER: z.enum(["yes", "no"], "takes yes or no").default("no"),
  BOMBYX_CHAIN_ENDPOINTS: list
    .pipe(z.array(z.url()).min(2, "takes two or more URLs, separated by commas"))
    .optional(),
  BOMBYX_SETTLEMENT: z.string().min(1).optional(),
  BOMBYX_PRICES: z.string().min(1).optional(),
  BOMBYX_REGISTRY: z.string().min(1).optional(),
  BOMBYX_TRUSTED_PROXIES: list
    .pipe(
      z.array(
        z.string().refine((text) => parseCidr(text), "takes networks like 10.0.0.0/8, separated by commas"),
      ),
    )
    .default([]),
  BOMBYX_ORIGINS: list.pipe(z.array(z.url().transform((url) => new URL(url).origin))).default([]),
  BOMBYX_FEE_BPS: integer(0, 3_000).default(1_000),
  BOMBYX_INIT_DATA_KEYS: list.pipe(z.array(hex.b32).min(1)).optional(),
  BOMBYX_ALLOWANCE_NANO: decimalNano.optional(),
  BOMBYX_LOW_CREDIT_NANO: decimalNano.optional(),
  BOMBYX_LOW_DEPOSIT_NANO: decimalNano.optional(),
  BOMBYX_QUEUE_PER_SLOT: integer(0, 64).default(4),
  BOMBYX_QUEUE_DEADLINE_MS: milliseconds.default(10_000),
  BOMBYX_DRAIN_MS: milliseconds.default(30_000),
  BOMBYX_LOST_GRACE_MS: integer(1_000, 3_600_000).default(60_000),
  BOMBYX_LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),
});

/** Devnet's policy file: what a simulated node is judged by, and where its chain is. */
const simulationSchema = z.object({
  attestation: attestationPolicySchema,
  chainEndpoints: z.array(z.url()).min(2),
});

const ratesSchema = z.strictObject({
  nanoPerUnit: nano,
  promptMultiplier: count,
  cachedMultiplier: count,
  completionMultiplier: count,
  reasoningMultiplier: count,
});
const pricesSchema = z.strictObject({
  default: ratesSchema.optional(),
  models: z.record(z.string().min(1).max(128), ratesSchema).default({}),
});

/**
 * Reads and checks everything before anything starts.
 * @throws ConfigError naming the variable, what it got and what it takes.
 */
export function readConfig(environment: NodeJS.ProcessEnv): GatewayConfig {
  const parsed = environmentSchema.safeParse(environment);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const name = String(issue?.path[0]);
    throw new ConfigError(`${name}=${environment[name] ?? ""}: ${issue?.message ?? "is not valid"}.`);
  }
  const values = parsed.data;
  const simulation =
    values.BOMBYX_SIMULATION === undefined
      ? undefined
      : readJsonFile("BOMBYX_SIMULATION", values.BOMBYX_SIMULATION, simulationSchema);
  if (values.BOMBYX_INIT_DATA_KEYS && !simulation) {
    throw new ConfigError(
      "BOMBYX_INIT_DATA_KEYS is only taken with BOMBYX_SIMULATION: persons are known by Telegram's own keys.",
    );
  }
  const prices =
    values.BOMBYX_PRICES === undefined
      ? undefined
      : readJsonFile("BOMBYX_PRICES", values.BOMBYX_PRICES, pricesSchema);
  if (values.BOMBYX_REGISTRY !== undefined) {
    readJsonFile("BOMBYX_REGISTRY", values.BOMBYX_REGISTRY, registrySchema);
  }
  const settlement =
    values.BOMBYX_SETTLEMENT === undefined
      ? undefined
      : readJsonFile("BOMBYX_SETTLEMENT", values.BOMBYX_SETTLEMENT, settlementConfigSchema);
  const chainEndpoints = values.BOMBYX_CHAIN_ENDPOINTS ?? simulation?.chainEndpoints;
  if (!chainEndpoints) {
    throw new ConfigError(
      "BOMBYX_CHAIN_ENDPOINTS is not set: it takes two or more base URLs of toncenter-v2 APIs of different operators, separated by commas.",
    );
  }
  return {
    host: values.BOMBYX_HOST,
    port: values.BOMBYX_PORT,
    metricsHost: values.BOMBYX_METRICS_HOST,
    metricsPort: values.BOMBYX_METRICS_PORT,
    dataDir: resolve(values.BOMBYX_DATA_DIR),
    policy: simulation?.attestation ?? strictPolicy,
    openTier: values.BOMBYX_OPEN_TIER === "yes",
    chainEndpoints,
    prices: Object.entries(prices?.models ?? {}).map(([model, rates]) => ({ model, ...rates })),
    defaultPrice: prices?.default ?? builtInPrice,
    ...(settlement && { settlement }),
    ...(values.BOMBYX_REGISTRY !== undefined && { registryFile: resolve(values.BOMBYX_REGISTRY) }),
    trustedProxies: values.BOMBYX_TRUSTED_PROXIES,
    origins: values.BOMBYX_ORIGINS,
    feeBps: values.BOMBYX_FEE_BPS,
    ...(values.BOMBYX_INIT_DATA_KEYS && { initDataKeys: values.BOMBYX_INIT_DATA_KEYS }),
    credit: {
      allowanceNano: values.BOMBYX_ALLOWANCE_NANO ?? defaultCreditPolicy.allowanceNano,
      lowCreditNano: values.BOMBYX_LOW_CREDIT_NANO ?? defaultCreditPolicy.lowCreditNano,
      lowDepositNano: values.BOMBYX_LOW_DEPOSIT_NANO ?? defaultCreditPolicy.lowDepositNano,
    },
    queuePerSlot: values.BOMBYX_QUEUE_PER_SLOT,
    queueDeadlineMs: values.BOMBYX_QUEUE_DEADLINE_MS,
    drainMs: values.BOMBYX_DRAIN_MS,
    lostGraceMs: values.BOMBYX_LOST_GRACE_MS,
    logLevel: values.BOMBYX_LOG_LEVEL,
  };
}

function readJsonFile<T extends z.ZodType>(variable: string, path: string, schema: T): z.output<T> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new ConfigError(`${variable}=${path} cannot be read as JSON.`, { cause });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ConfigError(`${variable}=${path}: ${issue?.path.join(".")}: ${issue?.message}.`);
}
