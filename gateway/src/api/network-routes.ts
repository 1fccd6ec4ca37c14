import type { ServerResponse } from "node:http";
import type { Figures } from "../figures/figures.ts";
import { networkView } from "../figures/network-view.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { DefaultPrice, PriceList } from "../prices.ts";
import type { Callers } from "./callers.ts";
import type { Router } from "./router.ts";

/** However many look at it, the fleet is read once a second. */
const snapshotMs = 1_000;
const historySnapshotMs = 10_000;
/** Of a request: the bytes are there already, and many people look from one address. */
const lookCost = 0.25;

/** What everybody may see: no credential, no account. */
export function networkRoutes(
  router: Router,
  parts: {
    callers: Callers;
    fleet: Fleet;
    figures: Figures;
    prices: PriceList;
    defaultPrice: DefaultPrice;
    feeBps: number;
    now: () => number;
  },
): void {
  const { callers, figures, now } = parts;
  const snapshot = kept(snapshotMs, now, () => networkView({ ...parts, now: now() }));
  const history = kept(historySnapshotMs, now, () => ({
    at: now(),
    minutes: figures.history().map(({ at, requests, units, nodes }) => [at, requests, units, nodes]),
  }));

  router.on("GET", "/v1/network", ({ request, response }) => {
    callers.admitStranger(request, lookCost);
    send(response, snapshot(), snapshotMs);
  });
  router.on("GET", "/v1/network/history", ({ request, response }) => {
    callers.admitStranger(request, lookCost);
    send(response, history(), historySnapshotMs);
  });
}

/** The bytes of what `make` says, made anew when they are older than `ms`. */
function kept(ms: number, now: () => number, make: () => unknown): () => Buffer {
  let bytes = Buffer.alloc(0);
  let madeAt = Number.NEGATIVE_INFINITY;
  return () => {
    const age = now() - madeAt;
    if (age < 0 || age >= ms) {
      bytes = Buffer.from(JSON.stringify(make()));
      madeAt = now();
    }
    return bytes;
  };
}

function send(response: ServerResponse, body: Buffer, maxAgeMs: number): void {
  response
    .writeHead(200, {
      "Content-Type": "application/json",
      "Content-Length": body.length,
      "Cache-Control": `public, max-age=${Math.floor(maxAgeMs / 1_000)}`,
    })
    .end(body);
}
