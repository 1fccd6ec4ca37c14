/**
 * `npm start`: the whole network on one machine. Reads its settings, finds the model, brings the network
 * up, says where everything is, and takes it down again on Ctrl-C.
 */
import { once } from "node:events";
import { homedir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import "./processes/leash.ts";
import { readEnvironment } from "./config.ts";
import { chosenModel } from "./models/chosen-model.ts";
import { findModels } from "./models/model-caches.ts";
import { type Network, startNetwork } from "./network.ts";
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
  let network: Network;
  try {
    const model = await chosenModel({
      model: environment.MODEL,
      modelId: environment.MODEL_ID,
      cacheDir: join(homedir(), ".bombyx", "models"),
      say,
      signal: interruption.signal,
    });
    network = await startNetwork({
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
      allowanceNano: environment.DEVNET_ALLOWANCE_NANO,
      signal: interruption.signal,
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
    const { gateway, proxy, apiKey, model } = network;
    process.stdout.write(`${JSON.stringify({ gateway: gateway.url, proxy: proxy.url, apiKey, model })}\n`);
  } else {
    process.stdout.write(offers(await findModels(homedir(), process.env)));
    process.stdout.write(summary(network, performance.now() - startedAt));
  }

  let stopping = false;
  for (const node of network.nodes) {
    void node.exited.then((exit) => {
      if (!stopping) say(`${node.name} is gone (${how(exit)}); the others go on. npm start brings it back.`);
    });
  }
  const broken = [network.gateway, network.proxy].map(async (child) => {
    const exit = await child.exited;
    return `${child.name} is gone (${how(exit)}), so the network stops. Its log: ${child.logFile}`;
  });
  const reason = await Promise.race([interrupted, ...broken]);
  stopping = true;
  if (reason !== undefined) say(reason);
  await network.stop();
  return reason === undefined ? 0 : 1;
}

const how = (exit: ProcessExit): string => exit.signal ?? `exit code ${exit.code}`;

try {
  process.exitCode = await main();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
