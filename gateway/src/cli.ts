import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { BombyxError } from "@bombyx/protocol/wire";
import { adminUsage, isAdminCommand, runAdmin } from "./accounts/admin-cli.ts";
import { ConfigError, defaultDataDir, readConfig } from "./config.ts";
import { startGateway } from "./index.ts";
import { createLog } from "./log.ts";

const usage = `bombyx-gateway serve [--json]
  Starts the gateway; its settings are environment variables, see the README.
  deposit --developer NAME --nano N [--json]
      Says what a wallet sends to the vault so that NAME's requests are paid; signs and sends nothing.
${adminUsage}
`;

const { argv, stdout, stderr, env } = process;

async function serve(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { json: { type: "boolean" } }, strict: true });
  const config = readConfig(env);
  const log = createLog(config.logLevel);
  const gateway = await startGateway(config, { log });
  const stop = () => {
    gateway.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.fatal({ err: error }, "the gateway did not stop cleanly");
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  const { url, metricsUrl: metrics } = gateway;
  stdout.write(
    values.json
      ? `${JSON.stringify({ ready: true, url, metrics })}\n`
      : `The gateway listens on ${url}, its metrics are on ${metrics}.\n`,
  );
}

async function main(args: readonly string[]): Promise<void> {
  if (args[0] === "serve") return await serve(args.slice(1));
  if (args[0] === "deposit") {
    const { depositOrder } = await import("./settlement/deposit-command.ts");
    stdout.write(`${depositOrder(args.slice(1), env)}\n`);
    return;
  }
  if (isAdminCommand(args)) {
    return await runAdmin(args, { dataDir: resolve(env.BOMBYX_DATA_DIR ?? defaultDataDir), stdout });
  }
  throw new ConfigError(usage);
}

/** What a person can mend is told in words; anything else keeps its stack. */
const inWords = (error: unknown): boolean =>
  error instanceof ConfigError ||
  error instanceof BombyxError ||
  (error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS"));

try {
  await main(argv.slice(2));
} catch (error) {
  const text =
    error instanceof Error ? (inWords(error) ? error.message : (error.stack ?? error.message)) : error;
  stderr.write(`${String(text)}\n`);
  process.exitCode = 1;
}
