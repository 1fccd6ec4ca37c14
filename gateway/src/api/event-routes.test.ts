import { once } from "node:events";
import { createServer, request as httpRequest, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Principal } from "../accounts/accounts.ts";
import type { EventLog } from "../events/event-log.ts";
import type { Callers } from "./callers.ts";
import { eventRoutes } from "./event-routes.ts";
import { Router } from "./router.ts";

const principal: Principal = { account: "person:1:2", payer: "sponsor:a", developer: "a", kind: "person" };
const tokenIssuedAt = 1_000;
const router = new Router();
let server: ReturnType<typeof createServer>;
let identified: () => Promise<Principal>;
let listening = 0;
const answers: { response: ServerResponse; handled: Promise<void> }[] = [];

beforeEach(async () => {
  listening = 0;
  answers.length = 0;
  const events: Pick<EventLog, "listen" | "after"> = {
    listen: () => {
      listening++;
      return () => void listening--;
    },
    after: async () => [],
  };
  eventRoutes(router, {
    callers: { identify: () => identified() } as unknown as Callers,
    events: events as EventLog,
    now: () => tokenIssuedAt,
  });
  server = createServer((request, response) => {
    const { handler } = router.match("GET", "/v1/events");
    const url = new URL(request.url ?? "/", "http://host");
    answers.push({ response, handled: Promise.resolve(handler({ request, response, url, params: {} })) });
    server.emit("asked");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const ask = () => {
  const { port } = server.address() as AddressInfo;
  const asked = httpRequest({ port, host: "127.0.0.1", path: "/v1/events", agent: false });
  asked.on("error", () => undefined).end();
  return asked;
};

it("leaves nothing behind of a caller who hung up while its credential was looked up", async () => {
  const { promise, resolve } = Promise.withResolvers<Principal>();
  identified = () => promise;
  for (let n = 0; n < 20; n++) {
    const asked = ask();
    await once(server, "asked");
    asked.destroy();
    const answer = answers.at(-1);
    if (answer && !answer.response.destroyed) await once(answer.response, "close");
  }
  resolve(principal);
  await Promise.all(answers.map(({ handled }) => handled));
  expect(listening).toBe(0);
  // Its twin, who stays: the account has all its streams, and one that is closed is let go.
  identified = async () => principal;
  const stays = ask();
  await once(stays, "response");
  expect(listening).toBe(1);
  stays.destroy();
  const last = answers.at(-1)?.response;
  if (last && !last.destroyed) await once(last, "close");
  expect(listening).toBe(0);
});

it("ends with the token that opened it, and not before one that never ends", async () => {
  identified = async () => ({ ...principal, expiresAt: tokenIssuedAt + 1 });
  const [short] = await Promise.all([once(ask(), "response"), once(server, "asked")]);
  await once(short[0].resume(), "end");
  expect(listening).toBe(0);
  // Its twin without an end is still there when the first is long gone.
  identified = async () => principal;
  const [lasting] = await Promise.all([once(ask(), "response"), once(server, "asked")]);
  expect(lasting[0].complete).toBe(false);
  expect(listening).toBe(1);
});
