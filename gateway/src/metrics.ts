import { createServer, type Server } from "node:http";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

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
