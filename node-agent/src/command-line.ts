import { setTimeout as sleep } from "node:timers/promises";
import { type ChainView, nodeId, strictPolicy, toncenterChainView } from "@bombyx/protocol/attestation";
import { ready } from "@bombyx/protocol/session";
import { BombyxError, toHex } from "@bombyx/protocol/wire";
import { systemClock } from "./clock.ts";
import { doctorCommand } from "./doctor/command.ts";
import type { Engine, EngineOptions } from "./engine/engine.ts";
import { startEngine } from "./engine/start-engine.ts";
import { nvidiaDeviceRoot } from "./gpu/device-chain.ts";
import { nvidiaProvider } from "./gpu/nvidia-provider.ts";
import type { Introduction } from "./link/hello.ts";
import { introduce } from "./link/introduce.ts";
import { RefusedError } from "./link/refused.ts";
import { nodeLog, standardError } from "./log.ts";
import { type ResolvedModel, resolveModel } from "./model-source/resolve-model.ts";
import { type NodeStatus, startNode } from "./node.ts";
import { cachedCollateral } from "./quote/collateral-cache.ts";
import { configfsTsmProvider } from "./quote/configfs-tsm.ts";
import { pccsCollateral } from "./quote/pccs.ts";
import { noQuotes, type QuoteProvider, type Quotes } from "./quote/quote-provider.ts";
import { adviceFor } from "./refusal-advice.ts";
import { type Output, Screen } from "./screen.ts";
import { type CommandLine, helpText, readSettings, type Settings } from "./settings.ts";
import { claimCommand } from "./settlement/commands/claim.ts";
import { earningsCommand } from "./settlement/commands/earnings.ts";
import { gramText } from "./settlement/gram.ts";
import { tellSettlement } from "./settlement/tell.ts";
import { toncenterReader } from "./settlement/vault-reader.ts";
import { StateDirectory } from "./state/state-directory.ts";

/** What a devnet and tests put in place of hardware, chain and terminal. */
export interface CliOverrides {
  /** @default quotes of this machine's TDX module, collateral from `--pccs` */
  readonly quoteProvider?: QuoteProvider;
  /** @default TON, as two of `--chain-endpoints` agree on it */
  readonly chain?: { readonly name: string; readonly endpoints: readonly string[] };
  /** @default llama.cpp in a child process */
  readonly startEngine?: (options: EngineOptions) => Promise<Engine>;
  readonly fetch?: typeof fetch;
  readonly environment?: NodeJS.ProcessEnv;
  readonly stdout?: Output;
  readonly stderr?: Output;
  /** Ends the node as SIGTERM does. */
  readonly signal?: AbortSignal;
}

/** Exit statuses of `bombyx-node`. */
const exitCode = { ok: 0, failed: 1, usage: 2, refused: 3 } as const;

/**
 * Runs `bombyx-node`: gets the model, starts the engine, links to the gateway, serves until a signal.
 * @returns 0 stopped by a signal, 1 failed, 2 wrong usage, 3 refused by the gateway.
 */
export async function runCli(argv: readonly string[], overrides: CliOverrides = {}): Promise<number> {
  const { stdout = process.stdout, stderr = process.stderr, environment = process.env } = overrides;
  if (argv[0] === "doctor") return doctorCommand(argv.slice(1), stdout, stderr);
  if (argv[0] === "earnings" || argv[0] === "claim") {
    const command = argv[0] === "earnings" ? earningsCommand : claimCommand;
    return command(argv.slice(1), environment, {
      stdout,
      stderr,
      endpoints: overrides.chain?.endpoints,
      fetch: overrides.fetch ?? fetch,
    });
  }
  let command: CommandLine | "help";
  try {
    command = readSettings(argv, environment, { chainGiven: overrides.chain !== undefined });
  } catch (error) {
    new Screen(stdout, stderr, false).problem(messageOf(error));
    return exitCode.usage;
  }
  if (command === "help") {
    stdout.write(helpText());
    return exitCode.ok;
  }
  const screen = new Screen(stdout, stderr, command.json);
  const stop = stopSignals(overrides.signal);
  try {
    return await serve(command, overrides, screen, stop.signal);
  } catch (error) {
    if (stop.signal.aborted) return exitCode.ok;
    screen.problem(messageOf(error));
    const refusal = refusalOf(error);
    if (refusal === undefined) return exitCode.failed;
    const advice = adviceFor(refusal);
    if (advice !== undefined) screen.advice(advice);
    return exitCode.refused;
  } finally {
    stop.dispose();
  }
}

/** The code of a refusal that trying again does not mend: the gateway's of this node, or this node's of the gateway. */
function refusalOf(error: unknown): string | undefined {
  if (error instanceof RefusedError) return error.refusal;
  return error instanceof BombyxError && error.code === "VAULT_MISMATCH" ? error.code : undefined;
}

async function serve(
  { settings, json }: CommandLine,
  overrides: CliOverrides,
  screen: Screen,
  signal: AbortSignal,
): Promise<number> {
  const request = overrides.fetch ?? fetch;
  const chain = chainOf(settings, overrides, request);
  const quotes: Quotes =
    settings.tee === "none"
      ? noQuotes
      : (overrides.quoteProvider ?? hardwareQuotes(settings, request, screen));
  const log = nodeLog(
    overrides.stderr ? { write: (line) => void overrides.stderr?.write(line) } : standardError(),
    settings["log-level"] ?? (json ? "info" : "warn"),
  );

  if (quotes === noQuotes) {
    screen.problem(
      "--tee none: the open tier. Whoever runs this computer can read every question and answer; people are told so, and few gateways list such a node.",
    );
  } else {
    // A machine that gives no quote should say so before gigabytes are downloaded.
    await quotes.quote(new Uint8Array(64));
    screen.step("Quote", "this machine can prove what it runs.");
  }
  const introduction = await introductionOf(settings);
  if (settings.pair !== undefined) await pair(settings.gateway, introduction, screen, signal);
  const model = await getModel(settings, request, screen, signal);
  const node = await startNode({
    gateway: settings.gateway,
    allowHttp: settings["allow-http"] === "yes",
    stateDir: settings.state,
    name: introduction.name,
    payout: settings.payout,
    ...(settings.pair !== undefined && { pairingCode: settings.pair }),
    coefficient: settings.coefficient,
    engine: (gpu) => loadModel(model, settings, overrides.startEngine ?? startEngine, screen, gpu),
    gpu: { policy: settings.gpu, provider: nvidiaProvider(), rootSha256: nvidiaDeviceRoot },
    quotes,
    chain,
    log,
    signal,
    settlement: {
      chain: toncenterReader(endpointsOf(settings, overrides), request, (ms) =>
        sleep(ms, undefined, { signal }),
      ),
      ...(settings.vault !== undefined && { vault: settings.vault }),
      ...(settings["max-unpaid"] !== undefined && { maxUnpaidNano: settings["max-unpaid"] }),
      watchEveryMs: settings["watch-seconds"] * 1_000,
      fetch: request,
    },
    onStatus: reporter(settings.gateway, screen),
  });
  screen.ready(
    { ready: true, node: node.nodeId, model: node.modelId },
    `Node ${node.nodeId} serves ${node.modelId}. Ctrl-C stops it; running answers may end first.\n` +
      "Waiting for the first request …",
  );

  const stopped = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
  try {
    await Promise.race([node.ended, stopped]);
  } finally {
    await node.close(settings["drain-seconds"] * 1_000);
  }
  return exitCode.ok;
}

/** This machine's TDX module, and Intel's documents for it. */
function hardwareQuotes(settings: Settings, request: typeof fetch, screen: Screen): QuoteProvider {
  const collateral = cachedCollateral(pccsCollateral(settings.pccs, request), {
    monotonicMs: () => systemClock.monotonicMs(),
    onTrouble: (message) => screen.problem(message),
  });
  return configfsTsmProvider(collateral);
}

const endpointsOf = (settings: Settings, { chain }: CliOverrides): readonly string[] =>
  chain?.endpoints ?? settings["chain-endpoints"] ?? [];

function chainOf(settings: Settings, overrides: CliOverrides, request: typeof fetch): ChainView {
  const endpoints = endpointsOf(settings, overrides);
  return toncenterChainView({
    endpoints,
    chain: overrides.chain?.name ?? strictPolicy.chain,
    fetch: request,
  });
}

async function getModel(
  settings: Settings,
  request: typeof fetch,
  screen: Screen,
  signal: AbortSignal,
): Promise<ResolvedModel> {
  let downloaded = false;
  const model = await resolveModel(settings.model, {
    cacheDir: settings["model-cache"],
    fetch: request,
    signal,
    onProgress: ({ receivedBytes, totalBytes }) => {
      downloaded = true;
      if (totalBytes) screen.progress("Downloading the model", receivedBytes / totalBytes);
    },
  });
  screen.step("Model", `${downloaded ? "downloaded and checked" : "found"}: ${model.path}`);
  return model;
}

async function loadModel(
  model: ResolvedModel,
  settings: Settings,
  start: (options: EngineOptions) => Promise<Engine>,
  screen: Screen,
  gpu: () => Promise<boolean>,
): Promise<Engine> {
  const { threads, pace, context } = settings;
  const loadingAt = performance.now();
  const engine = await start({
    modelPath: model.path,
    modelId: settings["model-id"] ?? model.id,
    slots: settings.slots,
    ...(threads !== undefined && { threads }),
    ...(pace !== undefined && { paceTokensPerSecond: pace }),
    ...(context !== undefined && { contextTokens: context }),
    gpu,
    onLoadProgress: (fraction) => screen.progress("Loading the model", fraction),
  });
  if (model.sha256 !== undefined && engine.model.manifest.ggufSha256 !== model.sha256) {
    await engine.close();
    throw new BombyxError(
      "BAD_REQUEST",
      `${model.path} is damaged: its SHA-256 is not ${model.sha256}. Delete it; it is downloaded again.`,
    );
  }
  const { decodeTokensPerSecond, prefillTokensPerSecond, slots, manifest } = engine.model;
  screen.step("Loaded", `${manifest.model} in ${((performance.now() - loadingAt) / 1_000).toFixed(1)} s.`);
  screen.step(
    "Measured",
    `${slots} answers at once, ${Math.round(decodeTokensPerSecond)} tokens/s together, ` +
      `${Math.round(prefillTokensPerSecond)} tokens/s of prompt.`,
  );
  return engine;
}

/** A machine's own name would tell everybody about the owner's network: without another it is called by its id. */
async function introductionOf({ state, payout, name, coefficient, pair }: Settings): Promise<Introduction> {
  await ready;
  const identity = await (await StateDirectory.open(state)).identity(payout);
  const id = toHex(nodeId(identity.linkPk, payout));
  return { identity, name: name ?? `node-${id.slice(0, 6)}`, coefficient, pairingCode: pair };
}

/** Pairs before anything that takes long: a code lasts 15 minutes, a download may not. */
async function pair(
  gateway: string,
  introduction: Introduction,
  screen: Screen,
  signal: AbortSignal,
): Promise<void> {
  const node = await introduce(gateway, introduction, signal);
  signal.throwIfAborted();
  if (node !== undefined) screen.step("Paired", `${gateway} knows this node as ${node.slice(0, 8)}….`);
  else screen.problem(`${gateway} does not answer; the model is loaded meanwhile, then it is tried again.`);
}

/** So often a person is told what was earned since. */
const paidEveryMs = 60_000;

/** Tells a person what happens to the link and the money: admissions, losses, the first answer, sums now and then. */
function reporter(gateway: string, screen: Screen): (status: NodeStatus) => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  let first = true;
  return (status) => {
    if (status.state === "waiting") {
      const seconds = (status.waitMs / 1_000).toFixed(1);
      screen.problem(`no link to ${gateway} (${status.message}); trying again in ${seconds} s.`);
    } else if (status.state === "admitted") {
      screen.step("Attested", `${gateway} took the proof ${status.attestationId.slice(0, 8)}….`);
    } else if (status.state !== "paid") {
      tellSettlement(status, screen);
    } else if (performance.now() - toldAt >= paidEveryMs) {
      toldAt = performance.now();
      const sum = `${gramText(status.earnedNano)} GRAM for ${status.requests} ${status.requests === 1 ? "request" : "requests"} so far`;
      if (first) screen.step("Served", `the first request: ${status.units} units; ${sum}.`);
      else screen.line(`  ${sum}.`);
      first = false;
    }
  };
}

/** SIGTERM and SIGINT end the node in order; a second one ends it at once. */
function stopSignals(given: AbortSignal | undefined): { signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(exitCode.failed);
    controller.abort();
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  return {
    signal: given ? AbortSignal.any([given, controller.signal]) : controller.signal,
    dispose: () => {
      process.off("SIGTERM", onSignal);
      process.off("SIGINT", onSignal);
    },
  };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
