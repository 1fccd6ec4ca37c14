import type { BombyxClient, ClientEvent } from "@bombyx/sdk";
import { describe, expect, it } from "vitest";
import type { ConnectionState } from "../network/connection.ts";
import { Chat } from "./chat.ts";
import { type ConversationShelf, memoryShelf } from "./conversation-shelf.ts";

/** An answer that a test feeds word by word. */
class FedAnswer {
  readonly #waiting: ((next: IteratorResult<unknown> | Error) => void)[] = [];
  readonly #ready: (IteratorResult<unknown> | Error)[] = [];
  readonly messages: unknown;
  readonly signal: AbortSignal;

  constructor(messages: unknown, signal: AbortSignal) {
    this.messages = messages;
    this.signal = signal;
    signal.addEventListener("abort", () =>
      this.fail(Object.assign(new Error("stop"), { code: "CANCELLED" })),
    );
  }

  say(content: string, finish: "stop" | "length" | null = null): void {
    this.#next({ done: false, value: { choices: [{ delta: { content }, finish_reason: finish }] } });
  }

  end(): void {
    this.#next({ done: true, value: undefined });
  }

  fail(error: Error): void {
    this.#next(error);
  }

  #next(step: IteratorResult<unknown> | Error): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(step);
    else this.#ready.push(step);
  }

  [Symbol.asyncIterator]() {
    return {
      next: () =>
        new Promise<IteratorResult<unknown>>((resolve, reject) => {
          const settle = (step: IteratorResult<unknown> | Error) =>
            step instanceof Error ? reject(step) : resolve(step);
          const ready = this.#ready.shift();
          if (ready) settle(ready);
          else this.#waiting.push(settle);
        }),
    };
  }
}

function stage(openShelf: () => Promise<ConversationShelf> = async () => memoryShelf()) {
  const answers: FedAnswer[] = [];
  const watchers: ((event: ClientEvent) => void)[] = [];
  const haptics: string[] = [];
  let ids = 0;
  let time = 1_000;
  const client = {
    chat: {
      completions: {
        create: async ({ messages }: { messages: unknown }, { signal }: { signal: AbortSignal }) => {
          const answer = new FedAnswer(messages, signal);
          answers.push(answer);
          return answer;
        },
      },
    },
  } as unknown as BombyxClient;
  const state = {
    phase: "sealed",
    client,
    model: "spark",
    models: [{ id: "spark", contextTokens: 1_024, nodes: 2 }],
    proof: {},
  } as unknown as ConnectionState;
  const chat = new Chat({
    connection: {
      snapshot: () => state,
      watch: (watcher) => {
        watchers.push(watcher);
        return () => undefined;
      },
      refresh: () => undefined,
      open: async () => undefined,
    },
    openShelf,
    now: () => time++,
    newId: () => `id${ids++}`,
    beforePaint: (work) => work(),
    haptic: (kind) => haptics.push(kind),
    accepted: () => undefined,
  });
  const until = (holds: () => boolean) => expect.poll(holds).toBe(true);
  const turns = () => chat.snapshot().current.turns;
  const emit = (event: unknown) => {
    for (const watcher of watchers) watcher(event as ClientEvent);
  };
  return { chat, answers, haptics, turns, until, emit };
}

describe("a chat", () => {
  it("keeps what was said, and tells the model all of it with the next question", async () => {
    const { chat, answers, turns, until, haptics } = stage();
    chat.ask("  Who spins? ");
    await until(() => answers.length === 1);
    expect(chat.snapshot().answering).toBe(true);
    answers[0]?.say("The ");
    answers[0]?.say("moth.", "stop");
    answers[0]?.end();
    await until(() => !chat.snapshot().answering);
    expect(turns().map(({ text, state }) => [text, state])).toEqual([
      ["Who spins?", "done"],
      ["The moth.", "done"],
    ]);
    expect(haptics).toEqual(["success"]);
    chat.ask("Why?");
    await until(() => answers.length === 2);
    expect(answers[1]?.messages).toEqual([
      { role: "user", content: "Who spins?" },
      { role: "assistant", content: "The moth." },
      { role: "user", content: "Why?" },
    ]);
    expect(chat.snapshot().heads.map(({ title }) => title)).toEqual(["Who spins?"]);
  });

  it("says that an answer reached the limit, was stopped, or was cut and why", async () => {
    const { chat, answers, turns, until, haptics } = stage();
    chat.ask("a");
    await until(() => answers.length === 1);
    answers[0]?.say("x", "length");
    answers[0]?.end();
    await until(() => turns().at(-1)?.state === "length");

    chat.retry();
    await until(() => answers.length === 2);
    answers[1]?.say("half");
    await until(() => turns().at(-1)?.text === "half");
    chat.stop();
    await until(() => turns().at(-1)?.state === "stopped");
    expect(answers[1]?.signal.aborted).toBe(true);

    chat.retry();
    await until(() => answers.length === 3);
    answers[2]?.fail(Object.assign(new Error("gone"), { code: "TRUNCATED" }));
    await until(() => turns().at(-1)?.state === "cut");
    expect(turns().at(-1)?.failure).toEqual({ code: "TRUNCATED" });
    expect(turns()).toHaveLength(2);
    expect(haptics).toEqual(["success", "error"]);
  });

  it("notes a takeover in the answer that it happened to, and loses no word that comes after it", async () => {
    const { chat, answers, turns, until, emit } = stage();
    chat.ask("a");
    await until(() => answers.length === 1);
    answers[0]?.say("one ");
    await until(() => turns().at(-1)?.text === "one ");
    emit({ type: "lost", midAnswer: true });
    answers[0]?.say("two", "stop");
    answers[0]?.end();
    await until(() => turns().at(-1)?.state === "done");
    expect(turns().at(-1)).toMatchObject({ text: "one two", moves: 1 });
  });

  it("asks an edited question anew, without what came after it", async () => {
    const { chat, answers, turns, until } = stage();
    for (const [index, question] of ["a", "b"].entries()) {
      chat.ask(question);
      await until(() => answers.length === index + 1);
      answers[index]?.say("ok", "stop");
      answers[index]?.end();
      await until(() => !chat.snapshot().answering);
    }
    chat.resend(turns()[0]?.id ?? "", "c");
    await until(() => answers.length === 3);
    expect(answers[2]?.messages).toEqual([{ role: "user", content: "c" }]);
    expect(turns().map(({ text }) => text)).toEqual(["c", ""]);
  });

  it("lets an answer go on while another conversation is looked at", async () => {
    const { chat, answers, turns, until } = stage();
    chat.ask("first");
    await until(() => answers.length === 1);
    const first = chat.snapshot().current.id;
    chat.startNew();
    expect(chat.snapshot().answering).toBe(false);
    answers[0]?.say("done there", "stop");
    answers[0]?.end();
    await until(() => chat.snapshot().heads.length === 1);
    await chat.open(first);
    await until(() => turns().at(-1)?.text === "done there" && turns().at(-1)?.state === "done");
  });

  it("stops an answer whose conversation is deleted, and does not bring it back", async () => {
    const { chat, answers, until } = stage();
    chat.ask("a");
    await until(() => answers.length === 1);
    chat.remove(chat.snapshot().current.id);
    expect(answers[0]?.signal.aborted).toBe(true);
    await new Promise((resolve) => setImmediate(resolve));
    expect(chat.snapshot()).toMatchObject({ heads: [], current: { turns: [] } });
  });

  it("works where the storage fails, at once or later, and says that nothing is kept", async () => {
    const failing = { ...memoryShelf(), put: () => Promise.reject(new Error("full")) };
    for (const openShelf of [() => Promise.reject(new Error("none")), async () => failing]) {
      const { chat, answers, turns, until } = stage(openShelf);
      chat.ask("a");
      await until(() => answers.length === 1);
      answers[0]?.say("b", "stop");
      answers[0]?.end();
      await until(() => turns().at(-1)?.state === "done");
      await until(() => !chat.snapshot().kept);
      const { id } = chat.snapshot().current;
      chat.startNew();
      await chat.open(id);
      expect(turns().map(({ text }) => text)).toEqual(["a", "b"]);
    }
  });
});
