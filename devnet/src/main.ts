/**
 * `npm start`: the whole network on one machine. Reads its settings, finds the model, brings the network
 * up, says where everything is, and takes it down again on Ctrl-C.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { homedir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import "./processes/leash.ts";
import { type Environment, readEnvironment } from "./config.ts";
import { type Devnet, startDevnet } from "./devnet.ts";
import { chosenModel } from "./models/chosen-model.ts";
import { findModels } from "./models/model-caches.ts";
import type { RealTelegram } from "./playground/faces.ts";
import type { ProcessExit } from "./processes/child.ts";
import { offers, summary } from "./screen.ts";
import { AlreadyRunningError } from "./state/network-lock.ts";
import { runningSentence } from "./state/state-directory.ts";

const startedAt = performance.now();
const say = (text: string) => process.stderr.write(`${text}\n`);

async function main(): Promise<number> {
  const { values: flags } = parseArgs({ options: { json: { type: "boolean", default: false } } });
  const environment = readEnvironment(process.env);
  const interruption = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => interruption.abort());
  }
  const interrupted = once(interruption.signal, "abort").then(() => undefined);
  if (!flags.json) {
    const nodes = environment.DEVNET_NODES === 1 ? "a node" : `${environment.DEVNET_NODES} nodes`;
    say(`Bringing up a gateway, ${nodes}, the proxy, the bot, the Mini App and the playground:`);
  }
  let network: Devnet;
  try {
    const model = await chosenModel({
      model: environment.MODEL,
      modelId: environment.MODEL_ID,
      cacheDir: join(homedir(), ".bombyx", "models"),
      say,
      signal: interruption.signal,
    });
    network = await startDevnet({
      stateRoot: environment.DEVNET_DIR,
      nodes: environment.DEVNET_NODES,
      slots: environment.DEVNET_SLOTS,
      pace: environment.DEVNET_PACE ?? model.pace,
      model,
      ports: {
        gateway: environment.DEVNET_GATEWAY_PORT,
        metrics: environment.DEVNET_METRICS_PORT,
        chain: [environment.DEVNET_CHAIN_PORT, environment.DEVNET_CHAIN_PORT_2],
        proxy: environment.DEVNET_PROXY_PORT,
      },
      facePorts: {
        playground: environment.DEVNET_PLAYGROUND_PORT,
        miniapp: environment.DEVNET_MINIAPP_PORT,
        botApi: environment.DEVNET_BOT_API_PORT,
      },
      realTelegram: realTelegram(environment),
      onBot: (change) =>
        say(
          change.state === "running"
            ? "The bot is back."
            : `The bot is gone (${how(change.exit)}) and is started again. Its log: ${join(environment.DEVNET_DIR, "logs/bot.log")}`,
        ),
      allowanceNano: environment.DEVNET_ALLOWANCE_NANO,
      blockDelay: environment.DEVNET_BLOCK_DELAY,
      explorerPort: environment.DEVNET_EXPLORER_PORT,
      signal: interruption.signal,
      onNodeLost: (node, exit) =>
        say(`${node.name} is gone (${how(exit)}); the others go on. npm start brings it back.`),
      onReady: (part) => {
        if (!flags.json)
          say(`  ${part} is ready after ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
      },
    });
  } catch (error) {
    if (interruption.signal.aborted) return 0;
    if (!(error instanceof AlreadyRunningError)) throw error;
    say(await runningSentence(environment.DEVNET_DIR));
    return 1;
  }

  if (flags.json) {
    const { gateway, proxy, apiKey, model, playground, miniapp, botApi, chain, settled } = network;
    const line = {
      gateway: gateway.url,
      proxy: proxy.url,
      apiKey,
      model,
      playground: playground.url,
      miniapp: miniapp?.url,
      botApi: botApi?.url,
      ton: `${chain[0]?.url}/jsonRPC`,
      explorer: settled.explorer.url,
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  } else {
    process.stdout.write(offers(await findModels(homedir(), process.env)));
    process.stdout.write(summary(network, performance.now() - startedAt));
  }

  const broken = [network.gateway, network.proxy].map(async (child) => {
    const exit = await child.exited;
    return `${child.name} is gone (${how(exit)}), so the network stops. Its log: ${child.logFile}`;
  });
  const reason = await Promise.race([interrupted, ...broken]);
  if (reason !== undefined) say(reason);
  await network.stop();
  return reason === undefined ? 0 : 1;
}

/** With a token of BotFather's the same network serves a bot at the real Telegram. */
function realTelegram(environment: Environment): RealTelegram | undefined {
  const { BOT_TOKEN, BOT_WEBHOOK, BOT_WEBHOOK_SECRET, BOT_WEBHOOK_PORT, PUBLIC_URL } = environment;
  if (BOT_TOKEN === undefined) return undefined;
  return {
    token: BOT_TOKEN,
    ...(BOT_WEBHOOK !== undefined && {
      webhook: {
        url: BOT_WEBHOOK,
        secret: BOT_WEBHOOK_SECRET ?? randomBytes(24).toString("base64url"),
        port: BOT_WEBHOOK_PORT,
      },
    }),
    publicUrl: PUBLIC_URL,
  };
}

const how = (exit: ProcessExit): string => exit.signal ?? `exit code ${exit.code}`;

try {
  process.exitCode = await main();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
