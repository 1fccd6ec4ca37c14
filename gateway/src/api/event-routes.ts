import { type AccountEvent, BombyxError } from "@bombyx/protocol/wire";
import * as z from "zod";
import type { Audience, EventLog } from "../events/event-log.ts";
import { parse } from "./bodies.ts";
import type { Callers } from "./callers.ts";
import type { Router } from "./router.ts";

const query = z.strictObject({ after: z.coerce.number().int().min(0).optional() });
const streamsPerAccount = 8;
/** Of all accounts together: each holds a socket and two timers. */
const streamsMost = 4_096;
const keepAliveMs = 15_000;
/** Its reader comes back with the last id that it dealt with. */
const longestMs = 15 * 60_000;
/** What a reader may leave unread. */
const unreadBytes = 256 * 1_024;

/** `GET /v1/events`: what happens to an account's machines, as server-sent events, each at least once. */
export function eventRoutes(
  router: Router,
  { callers, events, now }: { callers: Callers; events: EventLog; now: () => number },
): void {
  const open = new Map<string, number>();
  let all = 0;

  router.on("GET", "/v1/events", async ({ request, response, url }) => {
    const { account, kind, botId, expiresAt = Number.POSITIVE_INFINITY } = await callers.identify(request);
    const { after } = parse(query, Object.fromEntries(url.searchParams));
    if (kind === "bot") {
      // Else whoever has a bot's key could open streams in the name of as many people as there are numbers.
      throw new BombyxError(
        "FORBIDDEN",
        "A bot's key hears its persons' events as itself: leave Bombyx-User out.",
        {
          field: "Bombyx-User",
        },
      );
    }
    // It hung up while its credential was looked up: its close has been told, and nothing would end the stream.
    if (response.destroyed) return;
    const audience: Audience = kind === "key" && botId !== undefined ? { botId } : { account };
    const streams = open.get(account) ?? 0;
    if (streams >= streamsPerAccount) {
      throw new BombyxError(
        "RATE_LIMITED",
        `An account has at most ${streamsPerAccount} event streams open: close one.`,
        { retryAfterMs: 10_000 },
      );
    }
    if (all >= streamsMost) {
      throw new BombyxError("QUEUE_FULL", "Too many event streams are open here: try again later.", {
        retryAfterMs: 30_000,
      });
    }
    open.set(account, streams + 1);
    all++;
    let told = after ?? 0;
    /** Events that come while the past is still being read. */
    let waiting: AccountEvent[] | undefined = [];
    const tell = (event: AccountEvent) => {
      if (event.id <= told) return;
      told = event.id;
      response.write(`id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
      if (response.writableLength > unreadBytes) response.destroy();
    };
    const stopListening = events.listen(audience, (event) => {
      if (waiting) waiting.push(event);
      else tell(event);
    });
    const alive = setInterval(async () => {
      response.write(": keep-alive\n\n");
      // A key may have been revoked.
      if (!(await callers.stillHolds(request))) response.end();
    }, keepAliveMs);
    // No stream outlives the token that opened it.
    const longest = setTimeout(() => response.end(), Math.min(longestMs, Math.max(0, expiresAt - now())));
    response.on("close", () => {
      stopListening();
      clearInterval(alive);
      clearTimeout(longest);
      all--;
      const left = (open.get(account) ?? 1) - 1;
      if (left > 0) open.set(account, left);
      else open.delete(account);
    });
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    response.write(": here\n\n");
    if (after !== undefined) {
      for (let page = await events.after(told, audience); page.length > 0 && !response.destroyed; ) {
        for (const event of page) tell(event);
        page = await events.after(told, audience);
      }
    }
    const came = waiting;
    waiting = undefined;
    for (const event of came) tell(event);
  });
}
