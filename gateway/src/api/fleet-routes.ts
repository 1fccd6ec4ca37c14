import { BombyxError, type Candidates, hex, type Price } from "@bombyx/protocol/wire";
import * as z from "zod";
import type { AttestationIntake, Tee } from "../fleet/attestation-intake.ts";
import { type Fleet, ofTier } from "../fleet/fleet.ts";
import type { PriceList } from "../prices.ts";
import { scores } from "../scheduler/pick.ts";
import { parse, sendJson } from "./bodies.ts";
import type { Callers } from "./callers.ts";
import type { Router } from "./router.ts";

/** Nodes of the open tier are for whoever asks for them, and nobody else hears of them here. */
const tee = z.enum(["tdx", "none"]).default("tdx");
const modelsQuery = z.strictObject({ tee });
const candidatesQuery = z.strictObject({
  model: z.string().min(1).max(128),
  tee,
  not: z
    .string()
    .max(65 * 64)
    .transform((text) => text.split(","))
    .pipe(z.array(hex.b32).max(64))
    .optional(),
});

/** What there is to choose from: models, candidates and their bundles. */
export function fleetRoutes(
  router: Router,
  parts: {
    callers: Callers;
    fleet: Fleet;
    intake: AttestationIntake;
    prices: PriceList;
    /** Seconds since epoch. */
    startedAt: number;
  },
): void {
  const { callers, fleet, intake, prices, startedAt } = parts;

  router.on("GET", "/v1/models", async ({ request, response, url }) => {
    await callers.identify(request);
    const wanted = parse(modelsQuery, Object.fromEntries(url.searchParams));
    const data = [...fleet.models()].flatMap(([id, all]) => {
      const offers = ofTier(all, wanted.tee);
      if (offers.length === 0) return [];
      return {
        id,
        object: "model",
        created: startedAt,
        owned_by: "bombyx",
        contextTokens: Math.max(...offers.map(({ model }) => model.contextTokens)),
        nodes: offers.filter(({ available }) => available).length,
        price: priceJson(prices.for(id)),
      };
    });
    sendJson(response, 200, { object: "list", data });
  });

  router.on("GET", "/v1/candidates", async ({ request, response, url }) => {
    await callers.identify(request);
    const { model, tee, not } = parse(candidatesQuery, Object.fromEntries(url.searchParams));
    const excluded = new Set(not);
    const picked = fleet.candidates(model, tee, excluded);
    if (picked.length === 0) throw nobody(model, tee, excluded);
    const weights = scores(picked);
    const price = prices.for(model);
    const candidates = picked.flatMap((offer, at) => {
      const { attested } = offer.of;
      if (!attested) return [];
      return {
        node: offer.node,
        name: offer.of.name,
        attestationId: attested.attestationId,
        manifest: offer.model.manifest,
        coefficient: offer.of.coefficient,
        score: weights[at] ?? 1e-6,
        owner: offer.owner,
      } satisfies Candidates["candidates"][number];
    });
    sendJson(response, 200, { model, price: priceJson(price), candidates });
  });

  router.on("GET", "/v1/bundles/{attestationId}", async ({ request, response, params }) => {
    await callers.identify(request);
    const id = parse(z.object({ attestationId: hex.b32 }), params).attestationId;
    const bytes = await intake.bundle(id);
    if (!bytes) throw new BombyxError("NOT_FOUND", "No bundle of this attestation id is kept here.");
    response
      .writeHead(200, {
        "Content-Type": "application/json",
        "Content-Length": bytes.length,
        "Cache-Control": "private, max-age=31536000, immutable",
      })
      .end(bytes);
  });

  function nobody(model: string, tee: Tee, excluded: ReadonlySet<string>): BombyxError {
    if (ofTier(fleet.models().get(model) ?? [], tee).length === 0) {
      return new BombyxError(
        "MODEL_UNKNOWN",
        `No node serves ${model} now; GET /v1/models lists what is served.`,
        {
          field: "model",
        },
      );
    }
    const shortage = fleet.shortage(model, tee, excluded);
    if (shortage.reason === "none") {
      return new BombyxError("NO_CANDIDATE", `No other node serves ${model} now; try again.`);
    }
    return new BombyxError("QUEUE_FULL", `Every node that serves ${model} is full; try again later.`, {
      retryAfterMs: shortage.retryAfterMs,
    });
  }
}

const priceJson = (price: Price) => ({ ...price, nanoPerUnit: price.nanoPerUnit.toString() });
