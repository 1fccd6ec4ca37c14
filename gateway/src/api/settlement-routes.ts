import { BombyxError } from "@bombyx/protocol/wire";
import type { Settlement } from "../settlement/settlement.ts";
import { sendJson } from "./bodies.ts";
import type { Callers } from "./callers.ts";
import { ownerOf } from "./owner-routes.ts";
import type { Router } from "./router.ts";

/** Where the money is on chain, and the proofs of it. */
export function settlementRoutes(
  router: Router,
  { callers, settlement }: { callers: Callers; settlement: Settlement | undefined },
): void {
  const settled = (): Settlement => {
    if (settlement) return settlement;
    throw new BombyxError("NOT_FOUND", "This gateway settles nothing on chain.");
  };

  router.on("GET", "/v1/settlement", ({ request, response }) => {
    callers.admitStranger(request);
    sendJson(response, 200, settled().info());
  });

  // Whoever wants to recompute a root does it from this, so it asks for no credential.
  router.on("GET", "/v1/settlement/epochs/{epoch}/leaves", async ({ request, response, params }) => {
    callers.admitStranger(request);
    const epoch = /^[1-9][0-9]{0,8}$/.test(params.epoch ?? "") ? Number(params.epoch) : undefined;
    const file = epoch === undefined ? undefined : await settled().leaves(epoch);
    if (!file) throw new BombyxError("NOT_FOUND", "There is no such epoch.", { field: "epoch" });
    response.writeHead(200, { "Content-Type": "application/jsonl", "Content-Length": file.length }).end(file);
  });

  router.on("GET", "/v1/owner/earnings", async ({ request, response }) => {
    const principal = await callers.identify(request);
    const account = principal.kind === "bot" ? principal.account : ownerOf(principal);
    sendJson(response, 200, await settled().earnings(account));
  });

  router.on("GET", "/v1/account/usage-proof", async ({ request, response }) => {
    const { account } = await callers.identify(request);
    const proof = settled().usageProof(account);
    if (!proof) throw new BombyxError("NOT_FOUND", "No final epoch has a line of this account yet.");
    sendJson(response, 200, proof);
  });
}
