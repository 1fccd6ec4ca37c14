import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Update } from "@grammyjs/types";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type BotAccount,
  type LocalBotApi,
  ManualClock,
  type Person,
  startLocalBotApi,
} from "../local-bot-api.ts";
import { type Reply, wire } from "../test-bot.ts";

interface Arrival {
  readonly text: string;
  readonly secret: string | undefined;
  readonly answer: (status: number, body?: string) => void;
}

let clock: ManualClock;
let api: LocalBotApi;
let bot: BotAccount;
let server: Server;
let url: string;
let ask: (method: string, payload?: object) => Promise<Reply>;
const arrivals: Arrival[] = [];

beforeEach(async () => {
  arrivals.length = 0;
  server = createServer(async (request, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const update = JSON.parse(Buffer.concat(chunks).toString()) as Update;
    arrivals.push({
      text: update.message?.text ?? "",
      secret: request.headers["x-telegram-bot-api-secret-token"] as string | undefined,
      answer: (status, body = "") =>
        response.writeHead(status, { "content-type": "application/json" }).end(body),
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  clock = new ManualClock();
  api = await startLocalBotApi({ clock });
  bot = await api.telegram.createBot({ username: "echo_bot" });
  ask = wire(api, bot);
});
afterEach(async () => {
  await api.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const texts = () => arrivals.map(({ text }) => text);
const arrived = (...expected: string[]) => expect.poll(texts).toEqual(expected);
const chatOf = async (name: string) =>
  (await api.telegram.createPerson({ firstName: name })).privateChat(bot);

describe("a webhook", () => {
  it("gets one chat in order, and other chats beside it", async () => {
    await ask("setWebhook", { url, secret_token: "s3cret_-" });
    const [ada, eve] = [await chatOf("Ada"), await chatOf("Eve")];
    await ada.send("ada 1");
    await ada.send("ada 2");
    await eve.send("eve 1");
    await arrived("ada 1", "eve 1");
    expect(arrivals[0]?.secret).toBe("s3cret_-");
    arrivals[0]?.answer(200);
    await arrived("ada 1", "eve 1", "ada 2");
  });

  it("gets no more at once than it asked for", async () => {
    await ask("setWebhook", { url, max_connections: 1 });
    await (await chatOf("Ada")).send("ada 1");
    await (await chatOf("Eve")).send("eve 1");
    await arrived("ada 1");
    expect(arrivals[0]?.secret).toBeUndefined();
    arrivals[0]?.answer(200);
    await arrived("ada 1", "eve 1");
  });

  it("is tried again, later each time, and as late as it asks", async () => {
    await ask("setWebhook", { url });
    await (await chatOf("Ada")).send("ada 1");
    for (const [count, waitMs] of [1_000, 2_000, 4_000].entries()) {
      await expect.poll(() => arrivals.length).toBe(count + 1);
      arrivals[count]?.answer(503);
      await failedAt(clock.now());
      clock.advance(waitMs - 1);
      expect(arrivals).toHaveLength(count + 1);
      clock.advance(1);
    }
    await expect.poll(() => arrivals.length).toBe(4);
    arrivals[3]?.answer(200);
    await expect.poll(() => bot.pending.length).toBe(0);
  });

  it("may answer with a method", async () => {
    await ask("setWebhook", { url });
    const ada: Person = await api.telegram.createPerson();
    const seat = await ada.start(bot);
    await arrived("/start");
    arrivals[0]?.answer(200, JSON.stringify({ method: "sendMessage", chat_id: ada.id, text: "hello" }));
    expect((await seat.chat.until(({ lastFromBot }) => lastFromBot)).text).toBe("hello");
  });

  it("that is taken away gets nothing more; the update waits for whoever asks", async () => {
    await ask("setWebhook", { url });
    await (await chatOf("Ada")).send("ada 1");
    await arrived("ada 1");
    await ask("deleteWebhook");
    const { result } = await ask("getUpdates");
    expect(result).toMatchObject([{ message: { text: "ada 1" } }]);
  });

  it("that cannot be reached is told so in getWebhookInfo", async () => {
    await ask("setWebhook", { url: "http://127.0.0.1:9/" });
    await (await chatOf("Ada")).send("ada 1");
    await failedAt(clock.now());
    expect((await ask("getWebhookInfo")).result).toMatchObject({
      pending_update_count: 1,
      max_connections: 40,
    });
  });
});

/** Each failure has its instant: whole seconds on the wire. */
async function failedAt(at: number): Promise<void> {
  await expect
    .poll(async () => ((await ask("getWebhookInfo")).result as { last_error_date?: number }).last_error_date)
    .toBe(Math.floor(at / 1_000));
}
