import { BombyxClient } from "@bombyx/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { botKey, startNetwork, type TestNetwork } from "./network.ts";
import { below, seeded } from "./random.ts";
import { user } from "./sse.ts";
import "./patience.ts";

const seed = 20_261_122;
const rounds = 200;
/** More conversations at once than the node has sequences, so that these change hands all the time. */
const lanes = 2;
const slots = 3;
/** Names that the model remembers well. */
const names =
  "Petra Samuel Layla Max Lena Peter Anna Tom Maria Oscar Emma Lucas Nina Paul Sara Leo Clara Julia Felix Ivan".split(
    " ",
  );

let network: TestNetwork;
/** Some accounts each, since one may not ask that often; a person of a round takes the next. */
const people = { alice: [] as BombyxClient[], bob: [] as BombyxClient[] };
const accountsEach = 10;
beforeAll(async () => {
  network = await startNetwork({ nodes: 1, slots, pace: 0 });
  const key = await botKey(network);
  const client = (telegramUser: string) =>
    new BombyxClient({
      gateway: network.gateway.url,
      apiKey: key,
      telegramUser,
      policy: { ...network.policy, tickMs: 0 },
    });
  for (let i = 1; i <= accountsEach; i++) {
    people.alice.push(client(`${i}`));
    people.bob.push(client(`${1_000 + i}`));
  }
});
afterAll(async () => {
  for (const client of [...people.alice, ...people.bob]) client.close();
  await network?.[Symbol.asyncDispose]();
});

interface Said {
  readonly text: string;
  readonly cachedTokens: number;
}

async function ask(
  client: BombyxClient,
  session: string,
  messages: readonly { role: "user" | "assistant"; content: string }[],
): Promise<Said> {
  const answer = await client.chat.completions.create({
    model: network.model,
    user: session,
    messages: [...messages],
    temperature: 0,
    max_tokens: 64,
  });
  return {
    text: answer.choices[0]?.message.content ?? "",
    cachedTokens: answer.usage?.prompt_tokens_details?.cached_tokens ?? -1,
  };
}

/** Asks, and hangs up after some pieces of the answer. */
async function askAndCancel(client: BombyxClient, session: string, question: string, pieces: number) {
  const stream = await client.chat.completions.create({
    model: network.model,
    user: session,
    messages: user(question),
    temperature: 0,
    stream: true,
  });
  let seen = 0;
  for await (const _ of stream) if (++seen > pieces) break;
}

describe(`two people on one node (${rounds} rounds, seed ${seed})`, () => {
  it("never see each other's words, nor what the other's prompt has left in the cache", async () => {
    const random = seeded(seed);
    const plans = Array.from({ length: rounds }, (_, round) => ({
      round,
      name: names[below(random, names.length)] ?? "",
      /** Who hangs up in the middle of another answer first. */
      cancels: { alice: random() < 0.3, bob: random() < 0.3, after: below(random, 6) },
    }));
    let remembered = 0;
    let reused = 0;
    const play = async ({ round, name, cancels }: (typeof plans)[number]) => {
      const alice = people.alice[round % accountsEach]!;
      const bob = people.bob[round % accountsEach]!;
      const secret = user(`My name is ${name}`);
      const question = "What is my name?";
      const asAlice = async () => {
        const session = `alice-${round}`;
        const first = await ask(alice, session, secret);
        if (cancels.alice) {
          await askAndCancel(
            alice,
            session,
            `My name is ${name}. Tell me a story about a robot.`,
            cancels.after,
          );
        }
        const again = [...secret, { role: "assistant" as const, content: first.text }, ...user(question)];
        const second = await ask(alice, session, again);
        expect(first.cachedTokens).toBe(0);
        if (second.text.includes(name)) remembered++;
        if (second.cachedTokens > 0) reused++;
      };
      const asBob = async () => {
        const session = `bob-${round}`;
        if (cancels.bob) {
          await askAndCancel(bob, `${session}-gone`, "Tell me a story about a penguin.", cancels.after);
        }
        // The beginning of Alice's prompt would find what she left in a cache, her question what a model remembers.
        const probes = round % 2 === 0 ? ["My name is", question] : [question, "My name is"];
        for (const [i, probe] of probes.entries()) {
          const { text, cachedTokens } = await ask(bob, session, user(probe));
          expect(text).not.toContain(name);
          if (probe === question) expect(text).toBe("You have not told me your name yet.");
          if (i === 0) expect(cachedTokens).toBe(0);
        }
      };
      await Promise.all([asAlice(), asBob()]);
    };
    const queue = plans.values();
    await Promise.all(
      Array.from({ length: lanes }, async () => {
        for (const plan of queue) await play(plan);
      }),
    );
    // It was there to be seen: Alice got it back, and her own cache served her.
    expect(remembered).toBe(rounds);
    expect(reused).toBeGreaterThan(0);
    process.stdout.write(
      `isolation: ${rounds} rounds, ${remembered} remembered, ${reused} with cached tokens\n`,
    );
  });
});
