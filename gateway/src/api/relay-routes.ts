import type { IncomingMessage } from "node:http";
import {
  BombyxError,
  handshakePrefixBytes,
  hex,
  limits,
  type SealedHead,
  sealedHeaders,
  sealedHeadSchema,
} from "@bombyx/protocol/wire";
import * as z from "zod";
import type { Principal } from "../accounts/accounts.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Handshakes } from "../relay/handshakes.ts";
import type { ReceiptIntake } from "../relay/receipt-intake.ts";
import type { Relay } from "../relay/relay.ts";
import { contentLength, parse, readBody, readJson, sendJson } from "./bodies.ts";
import type { Callers } from "./callers.ts";
import type { Router } from "./router.ts";

const requestId = z.coerce
  .number()
  .int()
  .min(0)
  .max(limits.requestsPerSession - 1);
const attemptParams = z.object({ session: hex.b32, request: requestId });
const resumeQuery = z.strictObject({ from: z.coerce.number().int().min(0).max(0xffff_ffff).default(0) });
const signedReceiptBody = z.record(z.string(), z.unknown());

/** Suite 2's message 1 is the longest: an ephemeral key, an X-Wing ciphertext and a tag. */
const handshakeBytes = handshakePrefixBytes + 32 + 1_120 + 16;
const sealedLengths = limits.requestBuckets.map((bucket) => bucket + limits.sealedRequestOverheadBytes);

/** Sessions, sealed requests, their answers and receipts. */
export function relayRoutes(
  router: Router,
  parts: {
    callers: Callers;
    handshakes: Handshakes;
    relay: Relay;
    receipts: ReceiptIntake;
    ledger: Ledger;
    /** What the caller's next request may cost, and what running ones hold. */
    spendable: (principal: Principal) => Promise<{ availableNano: bigint; reservedNano: bigint }>;
    /** @throws BombyxError DRAINING while the gateway is going away. */
    admitNew: () => void;
  },
): void {
  const { callers, handshakes, relay, receipts, ledger, admitNew } = parts;

  router.on("POST", "/v1/nodes/{node}/sessions", async ({ request, response, params }) => {
    admitNew();
    const principal = await callers.identifyPayer(request);
    const { node } = parse(z.object({ node: hex.b32 }), params);
    const length = contentLength(request, handshakeBytes);
    await solvent(principal);
    const message = await readBody(request, length);
    if (length < handshakePrefixBytes + 48) {
      throw new BombyxError("HANDSHAKE_INVALID", "The handshake is too short: prefix and Noise message 1.");
    }
    const { session, message2 } = await handshakes.open(principal.account, node, message);
    response
      .writeHead(201, {
        "Content-Type": "application/octet-stream",
        "Content-Length": message2.length,
        "Cache-Control": "no-store",
        [sealedHeaders.session]: session,
      })
      .end(message2);
  });

  router.on("POST", "/v1/sealed/{session}/{request}", async ({ request, response, params }) => {
    admitNew();
    const principal = await callers.identifyPayer(request);
    const attempt = parse(attemptParams, params);
    const head = sealedHead(request);
    const sealedBytes = sealedLength(request);
    await relay.ask({
      ...attempt,
      principal,
      head,
      sealedBytes,
      body: () => readBody(request, sealedBytes),
      response,
    });
  });

  router.on("GET", "/v1/sealed/{session}/{request}", async ({ request, response, params, url }) => {
    const principal = await callers.identify(request);
    const attempt = parse(attemptParams, params);
    const { from } = parse(resumeQuery, Object.fromEntries(url.searchParams));
    await relay.resume(principal, attempt, from, response);
  });

  router.on("GET", "/v1/receipts/{session}/{request}", async ({ request, response, params }) => {
    const principal = await callers.identify(request);
    const id = parse(attemptParams, params);
    const attempt = await ledger.attemptOf(id);
    if (!attempt) throw new BombyxError("REQUEST_UNKNOWN", "This gateway knows no such request.");
    if (attempt.account !== principal.account) {
      throw new BombyxError("FORBIDDEN", "A receipt is shown to the account that asked.");
    }
    const signed = await ledger.receiptOf(id);
    if (!signed) throw new BombyxError("NOT_FOUND", "The node has sent no receipt for this request yet.");
    sendJson(response, 200, signed);
  });

  router.on("POST", "/v1/receipts", async ({ request, response }) => {
    const principal = await callers.identify(request);
    const { units, chargedNano } = await receipts.present(
      principal.account,
      await readJson(request, signedReceiptBody),
    );
    sendJson(response, 200, { units, chargedNano: chargedNano.toString() });
  });

  /** Who can pay for nothing cannot make a node work on a handshake. */
  async function solvent(principal: Principal): Promise<void> {
    const { availableNano, reservedNano } = await parts.spendable(principal);
    if (availableNano + reservedNano <= 0n) {
      throw new BombyxError("ALLOWANCE_EXHAUSTED", "The allowance is used up; top it up to ask again.");
    }
  }
}

/** The clear head of a sealed request. @throws BombyxError BAD_REQUEST naming the header. */
function sealedHead(request: IncomingMessage): SealedHead {
  const header = (name: string): string | undefined => {
    const value = request.headers[name];
    return typeof value === "string" ? value : undefined;
  };
  const lost = header(sealedHeaders.lostAttempt)?.split("/");
  const parsed = sealedHeadSchema.safeParse({
    idempotencyId: header(sealedHeaders.idempotencyId),
    priceId: header(sealedHeaders.price),
    maxTokens: Number(header(sealedHeaders.maxTokens)),
    ...(lost && { lostAttempt: { session: lost[0], request: Number(lost[1] ?? Number.NaN) } }),
  });
  if (parsed.success) return parsed.data;
  const [at] = parsed.error.issues[0]?.path ?? [];
  const [field, takes] = headerOf[at as keyof SealedHead] ?? headerOf.idempotencyId;
  throw new BombyxError("BAD_REQUEST", `${field} takes ${takes}.`, { field });
}

const headerOf: Record<keyof SealedHead, readonly [header: string, takes: string]> = {
  idempotencyId: ["Bombyx-Idempotency-Id", "16 bytes as lower-case hex"],
  priceId: ["Bombyx-Price", "16 bytes as lower-case hex, as /v1/candidates names it"],
  maxTokens: ["Bombyx-Max-Tokens", `one of ${limits.maxTokensBuckets.join(", ")}`],
  lostAttempt: ["Bombyx-Lost-Attempt", "SESSION/REQUEST of the attempt that was lost"],
};

/** @throws BombyxError BAD_REQUEST unless the length is that of a sealed bucket. */
function sealedLength(request: IncomingMessage): number {
  const length = contentLength(request, sealedLengths.at(-1) ?? 0);
  if (!sealedLengths.includes(length)) {
    throw new BombyxError(
      "BAD_REQUEST",
      `A sealed request has ${sealedLengths.join(", ")} bytes, not ${length}.`,
      {
        field: "Content-Length",
      },
    );
  }
  return length;
}
