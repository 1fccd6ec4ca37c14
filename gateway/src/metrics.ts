import { createServer, type Server } from "node:http";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { type SettlementState, settlementProblems } from "./settlement/settlement-state.ts";

/** For people's eyes: a gauge is no money. */
const gram = (nano: bigint): number => Number(nano) / 1e9;

/** What the operator sees; labels are bounded: never an account, a session or an address. */
export class Metrics {
  readonly registry = new Registry();
  readonly requests = new Counter({
    name: "bombyx_http_requests_total",
    help: "Requests answered, by route and outcome (ok or an error code).",
    labelNames: ["route", "outcome"] as const,
    registers: [this.registry],
  });
  readonly timeToFirstFrame = new Histogram({
    name: "bombyx_time_to_first_frame_seconds",
    help: "From a sealed request's headers to the first sealed frame written to its client.",
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [this.registry],
  });
  readonly attempts = new Counter({
    name: "bombyx_attempts_total",
    help: "Attempts that ended, by how.",
    labelNames: ["end"] as const,
    registers: [this.registry],
  });
  readonly unitsSettled = new Counter({
    name: "bombyx_units_settled_total",
    help: "Units of settled receipts.",
    registers: [this.registry],
  });

  #frames = 0;
  #frameBytes = 0;

  constructor(live: { streams(): number; reservations(): number; links(): number; sessions(): number }) {
    const { registry } = this;
    collectDefaultMetrics({ register: registry });
    const gauge = (name: string, help: string, read: () => number) =>
      new Gauge({
        name,
        help,
        registers: [registry],
        collect() {
          this.set(read());
        },
      });
    const total = (name: string, help: string, read: () => number) =>
      new Counter({
        name,
        help,
        registers: [registry],
        collect() {
          this.reset();
          this.inc(read());
        },
      });
    total("bombyx_frames_total", "Sealed answer frames from nodes.", () => this.#frames);
    total("bombyx_frame_bytes_total", "Bytes of sealed answer frames from nodes.", () => this.#frameBytes);
    gauge("bombyx_streams", "Answers being relayed now.", live.streams);
    gauge("bombyx_reservations", "Attempts that hold money now.", live.reservations);
    gauge("bombyx_node_links", "Nodes linked now.", live.links);
    gauge("bombyx_sessions", "Sessions known now.", live.sessions);
  }

  /** What the operator of a gateway that settles on chain watches. */
  watchSettlement(read: () => SettlementState): void {
    const { registry } = this;
    const gauge = (name: string, help: string, value: (state: SettlementState) => number) =>
      new Gauge({
        name,
        help,
        registers: [registry],
        collect() {
          this.set(value(read()));
        },
      });
    gauge("bombyx_epoch", "Number of the last epoch that was built.", ({ epoch }) => epoch);
    gauge(
      "bombyx_epoch_age_seconds",
      "Since the ledger was read for the last epoch; 0 before the first.",
      (of) => of.ageMs / 1_000,
    );
    gauge("bombyx_epoch_pending", "Whether a root is pending, 0 or 1.", ({ pending }) => (pending ? 1 : 0));
    gauge("bombyx_committed_gram", "Earnings in the last root, of all nodes and epochs.", (of) =>
      gram(of.committedNano),
    );
    gauge("bombyx_committer_gram", "Money of the commit key's wallet.", (of) => gram(of.committerNano));
    gauge(
      "bombyx_chain_read_seconds",
      "When the chain was read last, seconds since the epoch.",
      (of) => of.readAt / 1_000,
    );
    new Gauge({
      name: "bombyx_settlement_problem",
      help: "Why no epoch goes on, by kind: 0 or 1.",
      labelNames: ["kind"] as const,
      registers: [registry],
      collect() {
        const { problems } = read();
        for (const kind of settlementProblems) this.set({ kind }, problems.has(kind) ? 1 : 0);
      },
    });
  }

  /** Two plain additions, because it happens for every frame of every stream. */
  frame(bytes: number): void {
    this.#frames++;
    this.#frameBytes += bytes;
  }
}

/** `GET /metrics` on a port of its own, which belongs to the operator's network only. */
export function metricsServer(metrics: Metrics): Server {
  return createServer((request, response) => {
    if (request.method !== "GET" || request.url !== "/metrics") {
      response.writeHead(404).end();
      return;
    }
    metrics.registry.metrics().then(
      (text) => response.writeHead(200, { "Content-Type": metrics.registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
}
