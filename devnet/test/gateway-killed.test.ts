import { personAccount } from "@bombyx/gateway/accounts";
import { decodeLinkMessage, fromUtf8, linkKind, type SignedReceipt } from "@bombyx/protocol/wire";
import { BombyxClient } from "@bombyx/sdk";
import { expect, it } from "vitest";
import { openLedgerFile, sumOf } from "./ledger-file.ts";
import { type LinkPassage, type LinkRelay, startLinkRelay } from "./link-relay.ts";
import { botId, botKey, everyNodeServes, startNetwork, type TestNetwork } from "./network.ts";
import { user } from "./sse.ts";
import "./patience.ts";

/** Shorter than a node waits for a reader who is gone: such an answer is paid by its running receipt, and its node comes too late. */
const graceMs = 12_000;
const questions = [
  "What is the capital of France?",
  "Please tell me a story about a penguin.",
  "How many days are in a week?",
  "Please tell me a story about a robot.",
  "What does the gateway see?",
];
const persons = Array.from({ length: 10 }, (_, i) => i + 1);
/** Half of them walk away when the gateway dies; nobody but the nodes and the deadline end what they asked. */
const walksAway = (person: number) => person % 2 === 0;

/** What passed on the nodes' links: receipts that were acknowledged. */
class Acknowledgements {
  readonly receipts: SignedReceipt["receipt"][] = [];

  watchLine(): (passage: LinkPassage) => undefined {
    const waiting = new Map<number, SignedReceipt["receipt"][]>();
    return ({ from, bytes, binary }) => {
      if (binary) {
        const { kind, stream, payload } = decodeLinkMessage(bytes);
        if (from !== "node" || kind !== linkKind.receipt) return;
        const { receipt } = JSON.parse(fromUtf8(payload)) as SignedReceipt;
        if (receipt.finish !== "running") waiting.set(stream, [...(waiting.get(stream) ?? []), receipt]);
        return;
      }
      const message = JSON.parse(bytes.toString());
      if (message.t === "challenge") waiting.clear();
      if (message.t !== "ack") return;
      const receipt = waiting.get(message.stream)?.shift();
      if (receipt) this.receipts.push(receipt);
    };
  }
}

type Outcome = { text: string; finish: string | null | undefined } | { refused: string };

function clientOf(network: TestNetwork, key: string, person: number): BombyxClient {
  const { gateway, policy } = network;
  return new BombyxClient({ gateway: gateway.url, apiKey: key, telegramUser: `${person}`, policy });
}

async function ask(client: BombyxClient, model: string, question: string): Promise<Outcome> {
  try {
    const answer = await client.chat.completions.create({ model, messages: user(question), temperature: 0 });
    const [choice] = answer.choices;
    return { text: choice?.message.content ?? "", finish: choice?.finish_reason };
  } catch (error) {
    return { refused: (error as { code: string }).code };
  }
}

it("a gateway killed in the middle of 50 requests loses no receipt, charges nothing twice and holds nothing", async () => {
  const acknowledged = new Acknowledgements();
  const relays: LinkRelay[] = [];
  await using network = await startNetwork({
    slots: 8,
    pace: 40,
    instruments: {
      gatewayEnvironment: { BOMBYX_LOST_GRACE_MS: `${graceMs}` },
      reach: async (part, gateway) => {
        if (part === "proxy") return gateway;
        const relay = await startLinkRelay(gateway, acknowledged.watchLine());
        relays.push(relay);
        return relay.url;
      },
    },
  });
  await using ledger = await openLedgerFile(network.gatewayData);
  const key = await botKey(network);

  // What each answer is, and costs, when nothing happens.
  const calm = clientOf(network, key, 99);
  const whole = await Promise.all(questions.map((question) => ask(calm, network.model, question)));
  calm.close();
  expect(whole).toEqual(questions.map(() => ({ text: expect.stringMatching(/\w/), finish: "stop" })));
  const dearest = ledger
    .attempts(personAccount(botId, 99))
    .reduce((most, { charged_nano }) => (charged_nano > most ? charged_nano : most), 0n);

  const clients = persons.map((person) => ({ person, client: clientOf(network, key, person) }));
  await Promise.all(clients.map(({ client }) => client.prepare({ model: network.model })));
  let answered = 0;
  const kill = Promise.withResolvers<void>();
  const asked = clients.flatMap(({ person, client }) =>
    questions.map(async (question, i) => {
      const outcome = await ask(client, network.model, question);
      if (++answered === 10) kill.resolve();
      return { person, question: i, outcome };
    }),
  );
  await kill.promise;
  await network.killGateway();
  const ackedBefore = [...acknowledged.receipts];
  const atDeath = ledger.attempts();
  const answeredAtDeath = atDeath.filter(
    ({ account, finish }) =>
      finish === "done" && persons.some((one) => !walksAway(one) && account === personAccount(botId, one)),
  ).length;
  for (const { person, client } of clients) if (walksAway(person)) client.close();
  await network.restartGateway();

  const outcomes = await Promise.all(asked);
  for (const { client } of clients) client.close();
  // It was in the middle: some had ended, some held money.
  expect(ackedBefore.length).toBeGreaterThanOrEqual(10);
  const held = atDeath.filter(({ state }) => state === "open");
  expect(held.length).toBeGreaterThanOrEqual(10);
  await expect
    .poll(async () => (await ledger.audit()).openReservations, { timeout: graceMs + 15_000, interval: 100 })
    .toBe(0);
  expect(await ledger.audit()).toMatchObject({ sumNano: 0n, openReservations: 0 });

  const attempts = ledger.attempts();
  const idOf = ({ session, request }: { session: string; request: bigint | number }) =>
    `${session}/${request}`;
  const byId = new Map(attempts.map((attempt) => [idOf(attempt), attempt]));
  expect(byId.size).toBe(attempts.length);
  // Nothing that a node saw acknowledged was lost.
  for (const receipt of ackedBefore) {
    const { finish, units } = receipt;
    expect(byId.get(idOf(receipt))).toMatchObject({ state: "settled", finish, units: BigInt(units) });
  }
  // What attempts charged is what their entries moved; of one question, at most one attempt was answered
  // to its end, and all together cost no more than the dearest answer does whole.
  for (const { charged_nano, entries_nano } of attempts) expect(entries_nano).toBe(charged_nano);
  for (const ofQuestion of Map.groupBy(attempts, ({ idempotency_id }) => idempotency_id).values()) {
    expect(ofQuestion.filter(({ finish }) => finish === "done").length).toBeLessThanOrEqual(1);
    expect(sumOf(ofQuestion, ({ charged_nano }) => charged_nano)).toBeLessThanOrEqual(dearest);
  }
  // The nodes came back with what they had signed while nobody was there to take it.
  const returned = held
    .map((attempt) => byId.get(idOf(attempt)))
    .filter((attempt) => attempt?.state === "settled" && attempt.finish !== "running");
  expect(returned.length).toBeGreaterThan(0);
  // Whoever stayed got the whole answer or was told why not; nobody got half of one.
  const stayed = outcomes.filter(({ person }) => !walksAway(person));
  for (const { question, outcome } of stayed) {
    if (!("refused" in outcome)) expect(outcome).toEqual(whole[question]);
    else expect(["GATEWAY_UNREACHABLE", "SESSION_UNKNOWN", "ALREADY_USED"]).toContain(outcome.refused);
  }
  const inTheEnd = stayed.filter(({ outcome }) => !("refused" in outcome)).length;
  expect(inTheEnd).toBeGreaterThan(answeredAtDeath);

  // And it goes on, through each of the same nodes: more at once than one of them has slots for.
  await everyNodeServes(network);
  // What was asked before waits in their slots for its reader, half a minute at most, and is avoided meanwhile.
  const nodes = new Set<string | undefined>();
  let person = 200;
  await expect
    .poll(
      async () => {
        await Promise.all(
          Array.from({ length: 8 }, async () => {
            const client = clientOf(network, key, person++);
            const answer = await client.chat.completions.create({
              model: network.model,
              messages: user(questions[0] ?? ""),
              temperature: 0,
            });
            client.close();
            expect(answer.choices[0]?.message.content).toContain("Paris");
            nodes.add(answer.bombyx?.node);
          }),
        );
        return nodes;
      },
      { timeout: 45_000, interval: 500 },
    )
    .toEqual(new Set(network.nodes.map(({ node }) => node)));
  for (const relay of relays) await relay[Symbol.asyncDispose]();
});
