/** The bot's process: reads its settings, starts, and stops on SIGTERM or SIGINT when running answers are finished. */
import { pathToFileURL } from "node:url";
import { BombyxError, type Policy, parsePolicy } from "@bombyx/sdk";
import { GrammyError, HttpError } from "grammy";
import { type BotConfig, ConfigError, readConfig } from "./config.ts";
import { SdkAnswerer } from "./conversation/sdk-answerer.ts";
import { createLog } from "./log.ts";
import { sdkTill } from "./money/sdk-till.ts";
import { startService } from "./service.ts";

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const { gateway, apiKey, allowHttp } = config;
  const policy = await readPolicy(config);
  const answerer = new SdkAnswerer({ gateway, apiKey, allowHttp, now: Date.now, ...(policy && { policy }) });
  const log = createLog(config.logLevel);
  const till = sdkTill({ gateway, apiKey, allowHttp });
  const service = await startService({ config, answerer, till, log });
  log.info({ username: service.username, by: config.webhook ? "webhook" : "polling" }, "ready");
  if (config.readyJson) {
    process.stdout.write(`${JSON.stringify({ event: "ready", username: service.username })}\n`);
  }

  let asked = 0;
  const asksToStop = new Promise<void>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.on(signal, () => {
        asked += 1;
        // Whoever asks twice does not want to wait; what is unanswered is answered after the next start.
        if (asked > 1) process.exit(1);
        resolve();
      });
    }
  });
  try {
    await Promise.race([asksToStop, service.failed]);
  } finally {
    await service.stop();
  }
}

/** Code or data of the operator's own, named in the environment; nothing else can set it. */
async function readPolicy({ policyFile }: BotConfig): Promise<Policy | undefined> {
  if (policyFile === undefined) return undefined;
  const attributes = policyFile.endsWith(".json") ? { with: { type: "json" } } : {};
  const module: { default?: unknown } = await import(pathToFileURL(policyFile).href, attributes);
  return parsePolicy(module.default);
}

function inWords(error: unknown): string {
  if (error instanceof ConfigError || error instanceof BombyxError) return error.message;
  if (error instanceof GrammyError && error.error_code === 401)
    return "Telegram does not know this BOT_TOKEN.";
  if (error instanceof GrammyError && error.error_code === 409) {
    return "Another process takes this bot's updates (409): stop that one, or remove its webhook.";
  }
  if (error instanceof HttpError) return `Telegram does not answer at BOT_API_ROOT: ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

try {
  await main();
  process.exit(0);
} catch (error) {
  process.stderr.write(`${inWords(error)}\n`);
  process.exit(1);
}
