import type { IncomingMessage, ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import * as z from "zod";
import type { Group, Person, Seat, Telegram } from "../telegram/bot-api/interface.ts";

const longestBody = 12 * 1_024 * 1_024;
const keepAliveMs = 15_000;
const seatFields = { personId: z.int(), chat: z.string().max(80) };
const place = { threadId: z.int().optional() };
const id = z.int();

/** What the page may do in a person's name; each takes the person, and most a chat. */
const commands = {
  send: z.object({ ...seatFields, ...place, text: z.string().min(1).max(20_000), replyTo: id.optional() }),
  photo: z.object({ ...seatFields, ...place, photo: z.base64(), caption: z.string().max(1_024).optional() }),
  press: z.object({ ...seatFields, messageId: id, button: z.tuple([z.int().min(0), z.int().min(0)]) }),
  stop: z.object({ ...seatFields, draftId: id }),
  react: z.object({ ...seatFields, messageId: id, emoji: z.string().max(16).optional() }),
  topic: z.object({ ...seatFields, name: z.string().min(1).max(128) }),
  pay: z.object({ ...seatFields, messageId: id }),
  miniapp: z.object({
    ...seatFields,
    version: z.string().max(8),
    platform: z.string().max(16),
    theme: z.record(z.string().max(64), z.string().max(16)),
    button: z.object({ messageId: id, label: z.string().max(256) }).optional(),
  }),
  "pay-link": z.object({ personId: id, link: z.string().max(1_024) }),
  language: z.object({ personId: id, languageCode: z.string().regex(/^[a-z]{2,3}(-[A-Za-z]{2,4})?$/) }),
} as const;
type Command = keyof typeof commands;
type Body<T extends Command> = z.infer<(typeof commands)[T]>;

/**
 * The people's side of the local Bot API for the page: `GET snapshot`, `GET events?after=`, and commands by POST.
 * @throws Error in words, which the server answers with.
 */
export async function peopleRoute(
  telegram: Telegram,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const name = url.pathname.slice("/people/".length);
  if (request.method === "GET" && name === "snapshot") return json(response, telegram.snapshot());
  if (request.method === "GET" && name === "events") return follow(telegram, response);
  if (request.method !== "POST" || !(name in commands)) throw new Error(`There is no ${name} here.`);
  const length = Number(request.headers["content-length"] ?? Number.NaN);
  if (!(length <= longestBody)) throw new Error(`A command has a length, of at most ${longestBody} bytes.`);
  const body: unknown = JSON.parse((await buffer(request)).toString("utf8"));
  json(response, (await run(telegram, name as Command, body)) ?? {});
}

async function run(telegram: Telegram, name: Command, given: unknown): Promise<unknown> {
  const parse = <T extends Command>(command: T): Body<T> => commands[command].parse(given) as Body<T>;
  switch (name) {
    case "send": {
      const { text, threadId, replyTo, ...seat } = parse("send");
      return seatOf(telegram, seat).send(text, {
        ...(threadId !== undefined && { threadId }),
        ...(replyTo !== undefined && { replyTo }),
      });
    }
    case "photo": {
      const { photo, threadId, caption, ...seat } = parse("photo");
      return seatOf(telegram, seat).sendPhoto(Buffer.from(photo, "base64"), {
        ...(threadId !== undefined && { threadId }),
        ...(caption !== undefined && { caption }),
      });
    }
    case "press": {
      const { messageId, button, ...seat } = parse("press");
      return seatOf(telegram, seat).press(messageId, button);
    }
    case "stop": {
      const { draftId, ...seat } = parse("stop");
      return seatOf(telegram, seat).stop(draftId);
    }
    case "react": {
      const { messageId, emoji, ...seat } = parse("react");
      const reactions = emoji === undefined ? [] : [{ type: "emoji" as const, emoji: emoji as "👍" }];
      return seatOf(telegram, seat).react(messageId, reactions);
    }
    case "topic": {
      const { name: topic, ...seat } = parse("topic");
      return seatOf(telegram, seat).createTopic(topic);
    }
    case "pay": {
      const { messageId, ...seat } = parse("pay");
      return seatOf(telegram, seat).pay(messageId);
    }
    case "miniapp": {
      const { version, platform, theme, button, ...seat } = parse("miniapp");
      return seatOf(telegram, seat).openMiniApp({ version, platform, theme, ...(button && { button }) });
    }
    case "pay-link": {
      const { personId, link } = parse("pay-link");
      return personOf(telegram, personId).payLink(link);
    }
    case "language": {
      const { personId, languageCode } = parse("language");
      return personOf(telegram, personId).setLanguage(languageCode);
    }
  }
}

function personOf(telegram: Telegram, personId: number): Person {
  const person = telegram.persons.find((one) => one.id === personId);
  if (!person) throw new Error(`There is no person ${personId}.`);
  return person;
}

/** @param chat a chat's key: `private:<bot>:<person>` or `group:<id>`. */
function seatOf(telegram: Telegram, { personId, chat }: { personId: number; chat: string }): Seat {
  const person = personOf(telegram, personId);
  const [kind, first] = chat.split(":");
  if (kind === "group") return person.in({ id: Number(first) } as Group);
  const bot = telegram.bots.find((one) => one.id === Number(first));
  if (!bot) throw new Error(`There is no chat ${chat}.`);
  return person.privateChat(bot);
}

/** Server-sent events: each event of Telegram from now on; the page asks for its snapshot after it is connected. */
function follow(telegram: Telegram, response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.write(": \n\n");
  const stop = telegram.on((event) => {
    // What bots asked is for developers; the screens do not need it.
    if (event.type !== "call" && event.type !== "update") {
      response.write(`data: ${JSON.stringify(event)}\n\n`);
    }
  });
  const alive = setInterval(() => response.write(": \n\n"), keepAliveMs);
  response.once("close", () => {
    stop();
    clearInterval(alive);
  });
}

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify(body));
}
