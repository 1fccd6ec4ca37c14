import { createHmac, getRandomValues, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as after } from "node:timers/promises";
import { cachedRegistry, openPolicy, toncenterChainView } from "@bombyx/protocol/attestation";
import { ready } from "@bombyx/protocol/receipt";
import { BombyxError } from "@bombyx/protocol/wire";
import type { Accounts, Principal } from "./accounts/accounts.ts";
import { ClientAddresses } from "./accounts/client-addresses.ts";
import { openAccounts } from "./accounts/open-accounts.ts";
import { RateLimiter } from "./accounts/rate-limit.ts";
import { accountRoutes } from "./api/account-routes.ts";
import { sendJson } from "./api/bodies.ts";
import { Callers, type OwnPayer } from "./api/callers.ts";
import { channelRoutes } from "./api/channel-routes.ts";
import { eventRoutes } from "./api/event-routes.ts";
import { fleetRoutes } from "./api/fleet-routes.ts";
import { moneyRoutes } from "./api/money-routes.ts";
import { networkRoutes } from "./api/network-routes.ts";
import { Origins } from "./api/origins.ts";
import { ownerRoutes } from "./api/owner-routes.ts";
import { relayRoutes } from "./api/relay-routes.ts";
import { Router } from "./api/router.ts";
import { apiServer } from "./api/server.ts";
import { settlementRoutes } from "./api/settlement-routes.ts";
import { walletRoutes } from "./api/wallet-routes.ts";
import type { GatewayConfig } from "./config.ts";
import { spendable } from "./credit/account-money.ts";
import { BalanceNews } from "./credit/balance-news.ts";
import { CreditShelf } from "./credit/credit-products.ts";
import { Purses } from "./credit/purses.ts";
import { EventLog } from "./events/event-log.ts";
import { NodeNews } from "./events/node-news.ts";
import { AttestationArchive, attestationsKeptMs } from "./evidence/attestation-archive.ts";
import { PriceArchive } from "./evidence/price-archive.ts";
import { Figures } from "./figures/figures.ts";
import { AttestationIntake } from "./fleet/attestation-intake.ts";
import { Fleet, type FleetChange } from "./fleet/fleet.ts";
import type { FleetNode } from "./fleet/fleet-node.ts";
import { LinkServer } from "./fleet/link-server.ts";
import { Quarantine } from "./fleet/quarantine.ts";
import { storedMemory } from "./fleet/stored-memory.ts";
import type { Ledger } from "./ledger/ledger.ts";
import { openLedger } from "./ledger/open-ledger.ts";
import type { Log } from "./log.ts";
import { Metrics, metricsServer } from "./metrics.ts";
import { PriceList } from "./prices.ts";
import { AckSigner, loadAckKey, unsettledTerms } from "./relay/acks.ts";
import { Attempts } from "./relay/attempts.ts";
import { Comebacks } from "./relay/comebacks.ts";
import { Handshakes } from "./relay/handshakes.ts";
import { ReceiptIntake } from "./relay/receipt-intake.ts";
import { Relay } from "./relay/relay.ts";
import { RunningReceipts } from "./relay/running-receipts.ts";
import { openSessionFile } from "./relay/session-file.ts";
import { SessionTable } from "./relay/session-table.ts";
import { StallWatch } from "./relay/stall-watch.ts";
import type { Settlement } from "./settlement/settlement.ts";
import type { SettlementConfig } from "./settlement/settlement-config.ts";
import { openStore } from "./store/open-store.ts";

export interface Gateway {
  /** Where clients and nodes connect. */
  readonly url: string;
  /** `/metrics`, for the operator. */
  readonly metricsUrl: string;
  readonly ledger: Ledger;
  readonly accounts: Accounts;
  /** Takes nothing new, lets running answers finish (at most `drainMs`), then closes everything. */
  stop(): Promise<void>;
}

/** What a process, or a test, brings from outside. */
export interface GatewaySurroundings {
  readonly log: Log;
  /** ms since epoch. @default Date.now */
  readonly now?: () => number;
  /**
   * The ledger cannot go on, and nothing may be served without it: ends the process, at once.
   * @default process.exit(1)
   */
  readonly fail?: (cause: Error) => void;
}

const sweepEveryMs = 15_000;
/** An epoch lasts an hour; the rest is for links that come and go. */
const attestationRate = { perMinute: 6, burst: 30 };
/** Of one node. */
const newsRate = { perMinute: 2, burst: 20 };
const figuresEveryMs = 5_000;
/** Nodes whose comings and goings are kept with one commit, which holds the event loop. */
const seenPerTick = 250;
const bundlesKeptMs = 24 * 3_600_000;

/** Starts a gateway: everything it consists of, in the order in which one needs the other. */
export async function startGateway(
  config: GatewayConfig,
  { log, now = Date.now, fail = () => process.exit(1) }: GatewaySurroundings,
): Promise<Gateway> {
  await ready;
  const { dataDir } = config;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });

  let draining = false;
  /** Work that nobody waits for. */
  const tidy = (work: Promise<unknown>) => {
    work.catch((error: unknown) => log.error({ err: error }, "work on the side failed"));
  };

  // What outlives the process.
  const store = openStore({ dataDir });
  const attestations = new AttestationArchive(store.db);
  const bundles = attestations.keeping(store.bundles);
  const oldPrices = new PriceArchive(store.db);
  const accounts = openAccounts({
    store,
    now,
    ...(config.initDataKeys && { initDataKeys: config.initDataKeys }),
  });
  const ledger = await openLedger({
    dataDir,
    feeBps: config.feeBps,
    takeOverAt: now(),
    onFailure: (cause) => {
      log.fatal({ code: "LEDGER_FAILED", err: cause }, "the ledger failed: the gateway ends");
      fail(cause);
    },
  });

  // Who serves what, and who may.
  const chain = toncenterChainView({ endpoints: config.chainEndpoints, chain: config.policy.chain, fetch });
  const prices = new PriceList(config.prices, config.defaultPrice, (price) => tidy(oldPrices.keep(price)));
  const purses = new Purses(config.credit);
  const { registryFile } = config;
  const registry =
    registryFile === undefined ? undefined : cachedRegistry(await registryReader(config, registryFile), now);
  const policy = registry ? { ...config.policy, registry: "required" as const } : config.policy;
  const memory = await storedMemory(store.db);
  const intake = new AttestationIntake({
    policy,
    openTier: config.openTier ? openPolicy(config.policy.chain) : undefined,
    chain,
    registry,
    memory,
    bundles,
    now,
  });
  const quarantine = new Quarantine(store.db, now);
  /** Turns away who was let in before it was denied. */
  const denyAgain = async () => {
    for (const { node, error } of await intake.denied(fleet.linked())) {
      log.warn({ node: node.id, code: error.reason }, error.message);
      fleet.deny(node, error.reason, error.message);
    }
  };
  const ownerSecret = randomBytes(32);
  const fleet = new Fleet({
    queue: { perSlot: config.queuePerSlot, deadlineMs: config.queueDeadlineMs },
    now,
    random: () => (getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32,
    ownerTag: (account) => createHmac("sha256", ownerSecret).update(account).digest("hex").slice(0, 16),
    onChange: (node, change) => onFleetChange(node, change),
  });

  // What owners and everybody see of it.
  const events = new EventLog(store.db, now, log);
  const figures = await Figures.open({
    db: store.db,
    ledger,
    linkedNodes: () => links.links,
    now,
  });
  const news = new NodeNews(
    (event) => events.add(event),
    (ms, run) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
    new RateLimiter("news of a node", newsRate, now),
  );
  const balanceNews = new BalanceNews({
    ledger,
    policy: purses.policy,
    tell: (event) => events.add(event),
    toldLately: (account) => events.has(account, "balance.low"),
  });
  /** When nodes came and went, until it is kept. */
  let seen = new Map<string, number>();
  const keepSeen = async () => {
    const all = [...seen];
    seen = new Map(all.slice(seenPerTick));
    await accounts.sawNodes(new Map(all.slice(0, seenPerTick)));
  };
  const onFleetChange = (node: FleetNode, change: FleetChange) => {
    if (change === "quarantined") {
      const { id, linkPk, refusal } = node;
      tidy(quarantine.add({ node: id, linkPk, reason: refusal?.message ?? "" }));
    }
    // Links that end because the gateway ends are no news.
    if (draining) return;
    news.changed(node, change);
    if (change === "online" || change === "offline") seen.set(node.id, now());
    if (change === "online") tidy(figures.totals(node.id));
    if (change === "attested" && settlement) tidy(settlement.linked(node));
  };

  /** Loaded when it is wanted: the chain's libraries take time and memory. */
  const openSettlement = async (settled: SettlementConfig): Promise<Settlement> => {
    const { Settlement } = await import("./settlement/settlement.ts");
    const { feeBps } = config;
    const bringMoney = async (): Promise<void> => await desk?.redeemAll();
    const parts = { config: settled, dataDir, feeBps, db: store.db, ledger, fleet, events, log, now };
    return await Settlement.open({ ...parts, bringMoney });
  };

  const openChannels = async (settled: SettlementConfig, chain: Settlement) => {
    const { ChannelDesk } = await import("./channels/channel-desk.ts");
    return await ChannelDesk.open({ config: settled, chain, db: store.db, ledger, log, now });
  };

  // Ciphertext and money.
  const kept = openSessionFile({ dataDir, now });
  const sessions = new SessionTable(now, kept);
  const stalls = new StallWatch(now);
  const settlement = config.settlement && (await openSettlement(config.settlement));
  const desk = config.settlement && settlement && (await openChannels(config.settlement, settlement));
  const ackKey = settlement?.ackKey ?? loadAckKey(dataDir);
  const acks = new AckSigner(ackKey, settlement?.terms ?? unsettledTerms, (node, state) => {
    figures.acknowledged(node, state);
  });
  const metrics: Metrics = new Metrics({
    streams: () => relay.streams,
    reservations: () => attempts.open,
    links: () => links.links,
    sessions: () => sessions.size,
  });
  const wallets =
    config.settlement &&
    settlement &&
    (await import("./wallets/open-wallets.ts")).openWallets({
      db: store.db,
      globalId: config.settlement.globalId,
      origins: config.origins,
      endpoints: settlement.endpoints,
      now,
    });
  if (settlement) metrics.watchSettlement(() => settlement.state);
  const running = new RunningReceipts(ledger, now);
  const attempts = new Attempts({ ledger, running, fleet, metrics, log, now });
  const receipts = new ReceiptIntake({
    ledger,
    attempts,
    running,
    fleet,
    attestations: intake,
    acks,
    log,
    now,
  });
  const handshakes = new Handshakes({ fleet, sessions, kept, now });
  const comebacks = new Comebacks({ fleet, ledger, prices, attempts });
  const relay = new Relay({
    fleet,
    ledger,
    prices,
    purses,
    sessions,
    attempts,
    comebacks,
    stalls,
    metrics,
    now,
  });

  // Doors.
  const addresses = new ClientAddresses(config.trustedProxies);
  const links = new LinkServer({
    fleet,
    accounts,
    quarantine,
    addresses,
    intake,
    prices,
    attestations: new RateLimiter("attestations of a node", attestationRate, now),
    ackPk: acks.publicKey,
    log,
    events: {
      receipt: (link, stream, payload) => void receipts.receive(link, stream, payload),
      frame: (bytes) => metrics.frame(bytes),
    },
    onPaired: ({ node, owner: account, machine = null, name = "" }) => {
      events.add({ type: "node.paired", account, machine, node, name, message: null });
    },
  });
  const admitNew = () => {
    if (draining) {
      throw new BombyxError("DRAINING", "This gateway is going away; use another, or try again.", {
        retryAfterMs: 5_000,
      });
    }
  };
  const ownPayer: OwnPayer = (principal, named) => desk?.channels.payerOf(principal, named);
  const callers = new Callers(accounts, ownPayer, addresses);
  const router = new Router();
  router.on("GET", "/healthz", ({ response }) => sendJson(response, 200, { ok: true }));
  router.on("GET", "/readyz", ({ response }) => {
    admitNew();
    sendJson(response, 200, { ok: true });
  });
  fleetRoutes(router, { callers, fleet, intake, prices, startedAt: Math.floor(now() / 1_000) });
  const canSpend = (principal: Principal) => spendable(principal, { ledger, purses, now });
  relayRoutes(router, { callers, handshakes, relay, receipts, ledger, spendable: canSpend, admitNew });
  accountRoutes(router, { callers, accounts, spendable: canSpend });
  moneyRoutes(router, {
    callers,
    ledger,
    purses,
    shelf: new CreditShelf(store.db, now),
    channelOf: async (principal) => (await desk?.moneyOf(principal)) ?? null,
    gramPayments: config.settlement?.gramPayments ?? false,
    attestations,
    prices: oldPrices,
    acks,
    now,
  });
  ownerRoutes(router, { callers, accounts, fleet, figures, now });
  settlementRoutes(router, { callers, settlement });
  channelRoutes(router, { callers, desk });
  walletRoutes(router, { callers, accounts, wallets });
  eventRoutes(router, { callers, events, now });
  const { defaultPrice, feeBps } = config;
  networkRoutes(router, { callers, fleet, figures, prices, defaultPrice, feeBps, now });
  const server = apiServer({ router, origins: new Origins(config.origins), links, metrics, log });
  const metricsDoor = metricsServer(metrics);

  // One clock for everything that happens now and then.
  const seconds = setInterval(() => {
    stalls.check();
    attempts.check();
    running.check();
  }, 1_000);
  const figuresTicks = setInterval(
    () => tidy(Promise.all([figures.tick(), keepSeen(), balanceNews.check()])),
    figuresEveryMs,
  );
  const sweeps = setInterval(
    () => {
      sessions.sweep();
      kept.prune();
      tidy(ledger.sweep(now() - config.lostGraceMs, now()));
      tidy(ledger.expireOffers(now()));
      tidy(attestations.prune(now() - attestationsKeptMs));
      tidy(bundles.prune(now() - bundlesKeptMs));
      tidy(events.prune());
      tidy(denyAgain());
    },
    Math.min(sweepEveryMs, config.lostGraceMs),
  );

  const metricsUrl = `${await listen(metricsDoor, config.metricsHost, config.metricsPort)}/metrics`;
  const url = await listen(server, config.host, config.port);
  settlement?.start();
  desk?.start();
  log.info({ url, metricsUrl, policy: config.policy.name }, "gateway is up");

  async function drain(): Promise<void> {
    draining = true;
    log.info({ streams: relay.streams }, "gateway is draining");
    links.drain();
    server.close();
    const deadline = now() + config.drainMs;
    while (attempts.open > 0 && now() < deadline) await attempts.nextEnd(deadline - now());
    clearInterval(seconds);
    clearInterval(sweeps);
    clearInterval(figuresTicks);
    news.close();
    attempts.letGo();
    links.close();
    server.closeAllConnections();
    metricsDoor.close();
    metricsDoor.closeAllConnections();
    await desk?.stop();
    await settlement?.stop();
    await ledger.close();
    kept.close();
    await figures.close();
    while (seen.size > 0) await keepSeen();
    await events.settled();
    await store.close();
    log.info("gateway is down");
  }

  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= drain();
    return stopped;
  };
  return { url, metricsUrl, ledger, accounts, stop };
}

/** The lists as a file has them; as the chain stands behind them, where the settlement says so. */
async function registryReader({ settlement }: GatewayConfig, file: string): Promise<() => Promise<unknown>> {
  if (!settlement?.registryOnChain) return async () => JSON.parse(await readFile(file, "utf8"));
  const [{ readChainRegistry }, { TonEndpoints }] = await Promise.all([
    import("./chain/chain-registry.ts"),
    import("./chain/ton-endpoints.ts"),
  ]);
  const endpoints = new TonEndpoints({ urls: settlement.endpoints, wait: (ms) => after(ms) });
  return async () => await readChainRegistry(endpoints, settlement.registry, await readFile(file));
}

async function listen(server: Server, host: string, port: number): Promise<string> {
  server.listen(port, host);
  await once(server, "listening");
  const { port: actual, family, address } = server.address() as AddressInfo;
  return `http://${family === "IPv6" ? `[${address}]` : address}:${actual}`;
}
