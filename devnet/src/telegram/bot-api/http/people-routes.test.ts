import { request } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type BotAccount, type LocalBotApi, type Person, startLocalBotApi } from "../local-bot-api.ts";

let api: LocalBotApi;
let bot: BotAccount;
let ada: Person;

beforeEach(async () => {
  api = await startLocalBotApi({ origins: ["http://127.0.0.1:5173"] });
  bot = await api.telegram.createBot({ username: "echo_bot" });
  ada = await api.telegram.createPerson({ firstName: "Ada" });
});
afterEach(() => api.close());

const command = (body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${api.url}/_people/commands`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });

/** Reads a stream of events until one satisfies `isLast`. */
async function events(
  url: string,
  headers: Record<string, string>,
  isLast: (event: string) => boolean,
): Promise<string[]> {
  const closing = new AbortController();
  const response = await fetch(url, { headers, signal: closing.signal });
  const seen: string[] = [];
  let rest = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    const parts = `${rest}${chunk}`.split("\n\n");
    rest = parts.pop() ?? "";
    seen.push(...parts.filter((part) => !part.startsWith(":")));
    if (seen.some(isLast)) break;
  }
  closing.abort();
  return seen;
}

describe("the people's side over HTTP", () => {
  it("sends what a person types, as an app does", async () => {
    const response = await command({ do: "send", person: ada.id, bot: bot.id, text: "/start@echo_bot now" });
    expect(response.status).toBe(200);
    const { result } = (await response.json()) as { result: object };
    expect(result).toMatchObject({
      text: "/start@echo_bot now",
      entities: [{ type: "bot_command", offset: 0, length: 15 }],
    });
    expect(bot.pending.map((update) => update.message?.text)).toEqual(["/start@echo_bot now"]);
  });

  it("streams what happens after a snapshot, and resumes after an event", async () => {
    const snapshot = (await (await fetch(`${api.url}/_people/snapshot`)).json()) as { eventId: number };
    for (const text of ["one", "two", "three"])
      await command({ do: "send", person: ada.id, bot: bot.id, text });
    const isThree = (event: string) => event.includes('"type":"message"') && event.includes("three");
    const all = await events(`${api.url}/_people/events?after=${snapshot.eventId}`, {}, isThree);
    const two = all.find((event) => event.includes('"type":"message"') && event.includes('"two"'))!;
    const resumed = await events(
      `${api.url}/_people/events`,
      { "last-event-id": /^id: (\d+)/.exec(two)![1]! },
      isThree,
    );
    expect(resumed).toEqual(all.slice(all.indexOf(two) + 1));
  });

  it("tells a page that was away for too long to begin anew", async () => {
    const seen = await events(`${api.url}/_people/events?after=1`, {}, () => true);
    expect(seen[0]).toContain("event: reset");
  });

  it("refuses what the schema does not know, and says where", async () => {
    const response = await command({ do: "send", person: ada.id, bot: bot.id, text: "hi", evil: 1 });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("evil");
  });

  it.each([
    ["a name that was rebound to this machine", { host: "evil.example" }, 421],
    ["a page of a foreign origin", { origin: "https://evil.example" }, 403],
    ["a page of an allowed origin", { origin: "http://127.0.0.1:5173" }, 200],
    ["no page at all", {}, 200],
  ])("answers %s as it must", async (_, headers, status) => {
    const answer = await new Promise<number | undefined>((resolve, reject) => {
      request(`${api.url}/_people/snapshot`, { headers }, (response) => {
        expect(response.headers["access-control-allow-origin"]).not.toBe("*");
        response.resume();
        resolve(response.statusCode);
      })
        .on("error", reject)
        .end();
    });
    expect(answer).toBe(status);
  });

  it("takes no form of a foreign page", async () => {
    const response = await command({ do: "create_person" }, { "content-type": "text/plain" });
    expect(response.status).toBe(415);
    expect(api.telegram.persons).toHaveLength(1);
  });
});
