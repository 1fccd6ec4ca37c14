import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";

export const repositoryRoot = fileURLToPath(new URL("../..", import.meta.url));
export const bundledModel = fileURLToPath(new URL("../models/spark.gguf", import.meta.url));

const port = z.coerce.number().int().min(0).max(65_535);
const httpsUrl = z.url({ protocol: /^https$/, error: "expected an https URL" });

/** Every variable that `npm start` reads; devnet/README.md has the same as a table. */
export const environmentSchema = z.object({
  MODEL: z.string().min(1).optional(),
  MODEL_ID: z.string().min(1).max(128).optional(),
  DEVNET_DIR: z
    .string()
    .min(1)
    .default(".devnet")
    .transform((path) => resolve(repositoryRoot, path)),
  DEVNET_NODES: z.coerce.number().int().min(1).max(8).default(2),
  DEVNET_SLOTS: z.coerce.number().int().min(1).max(64).default(4),
  /** Tokens per second; 0 is as fast as the machine can. */
  DEVNET_PACE: z.coerce.number().min(0).max(10_000).optional(),
  DEVNET_GATEWAY_PORT: port.default(8780),
  DEVNET_METRICS_PORT: port.default(9464),
  DEVNET_CHAIN_PORT: port.default(8781),
  DEVNET_CHAIN_PORT_2: port.default(8782),
  /** Blocks (seconds) that a message on the chain waits before it arrives; 0 is at once. */
  DEVNET_BLOCK_DELAY: z.coerce.number().int().min(0).max(60).default(1),
  DEVNET_EXPLORER_PORT: port.default(8783),
  DEVNET_PROXY_PORT: port.default(11711),
  DEVNET_PLAYGROUND_PORT: port.default(8790),
  DEVNET_MINIAPP_PORT: port.default(8791),
  DEVNET_BOT_API_PORT: port.default(8792),
  /** From BotFather: the bot speaks to the real Telegram in place of the local one. */
  BOT_TOKEN: z
    .string()
    .regex(/^[0-9]{5,16}:[A-Za-z0-9_-]{30,}$/, "expected a token as BotFather gives it, 123456789:AA…")
    .optional(),
  /** Public address of the bot's webhook; without it the bot polls. */
  BOT_WEBHOOK: httpsUrl.optional(),
  BOT_WEBHOOK_SECRET: z.string().min(16).max(256).optional(),
  BOT_WEBHOOK_PORT: port.optional(),
  /** Origin under which phones reach DEVNET_MINIAPP_PORT. */
  PUBLIC_URL: httpsUrl.transform((url) => new URL(url).origin).optional(),
  /** nanoTON that the sponsor gives to the developer of this devnet. */
  DEVNET_ALLOWANCE_NANO: z
    .string()
    .regex(/^[1-9][0-9]{0,18}$/, "expected nanoTON as a decimal number")
    .default("100000000000"),
});
export type Environment = z.infer<typeof environmentSchema>;

/** Never repeated, not even when wrong. */
const secret = new Set(["BOT_TOKEN", "BOT_WEBHOOK_SECRET"]);

/** @throws Error that names each variable, what it got and what it takes. */
export function readEnvironment(environment: NodeJS.ProcessEnv): Environment {
  const parsed = environmentSchema.safeParse(environment);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    const name = String(issue.path[0]);
    const value = secret.has(name) ? "…" : environment[name];
    return `${name}=${value ?? ""}: ${issue.message}`;
  });
  throw new Error(
    `The environment is not right (devnet/README.md lists the variables):\n  ${problems.join("\n  ")}`,
  );
}
