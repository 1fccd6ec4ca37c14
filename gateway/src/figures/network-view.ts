import type { Network, NetworkNode } from "@bombyx/protocol/wire";
import type * as z from "zod";
import type { Fleet } from "../fleet/fleet.ts";
import type { FleetNode, NodeOffer } from "../fleet/fleet-node.ts";
import type { DefaultPrice, PriceList } from "../prices.ts";
import type { Figures } from "./figures.ts";

/** Before nanoTON becomes text. */
type NetworkMessage = z.input<typeof import("@bombyx/protocol/wire")["networkSchema"]>;

const nodesShown = 200;

/** What everybody may see of the network now. */
export function networkView(parts: {
  fleet: Fleet;
  figures: Figures;
  prices: PriceList;
  defaultPrice: DefaultPrice;
  feeBps: number;
  now: number;
}): NetworkMessage {
  const { fleet, figures, prices, defaultPrice, feeBps, now } = parts;
  const nodes = [...fleet.linked()].map(publicNode);
  nodes.sort((a, b) => b.slots - a.slots || (a.node < b.node ? -1 : 1));
  const ready = nodes.filter(({ state }) => state === "ready");
  const sum = (of: readonly NetworkNode[], field: "slots" | "running" | "decodeTokensPerSecond") =>
    of.reduce((total, node) => total + node[field], 0);
  const minute = figures.minute();
  const day = [...figures.history(), minute];
  const models = [...fleet.models()].map(([id, offers]) => {
    const serving = offers.filter(({ available }) => available);
    const slots = serving.reduce((total, offer) => total + offer.slots, 0);
    return { id, nodes: serving.length, slots, price: priceText(prices.for(id)) };
  });
  return {
    at: now,
    nodes: nodes.slice(0, nodesShown),
    models: models.filter((model) => model.nodes > 0),
    totals: {
      nodes: nodes.length,
      ready: ready.length,
      slots: sum(ready, "slots"),
      running: sum(nodes, "running"),
      decodeTokensPerSecond: sum(ready, "decodeTokensPerSecond"),
      requests: day.reduce((total, { requests }) => total + requests, 0),
      units: day.reduce((total, { units }) => total + units, 0),
    },
    minute,
    terms: { price: priceText(defaultPrice), ownerShareBps: 10_000 - feeBps },
  };
}

/** The state of a linked node. */
export function linkedState(node: FleetNode): NetworkNode["state"] {
  if (node.quarantined) return "quarantined";
  if (node.draining) return "draining";
  return node.available && node.offers.size > 0 ? "ready" : "linked";
}

/** What it is busy with: as this gateway knows, or more when it serves others, too. */
export const runningOn = (offer: NodeOffer): number =>
  Math.min(offer.slots, Math.max(offer.inFlight, offer.of.load.running));

function publicNode(node: FleetNode): Network["nodes"][number] {
  const [offer] = node.offers.values();
  return {
    node: node.id,
    name: node.name,
    state: linkedState(node),
    model: offer?.model.id ?? null,
    slots: offer?.slots ?? 0,
    running: offer ? runningOn(offer) : 0,
    queued: offer?.queued ?? 0,
    decodeTokensPerSecond: offer?.model.decodeTokensPerSecond ?? 0,
    prefillTokensPerSecond: offer?.model.prefillTokensPerSecond ?? 0,
    owner: node.ownerTag,
    simulated: node.attested?.simulated ?? null,
    tee: node.attested?.tee ?? null,
  };
}

const priceText = <T extends { nanoPerUnit: bigint }>(price: T) => ({
  ...price,
  nanoPerUnit: price.nanoPerUnit.toString(),
});
