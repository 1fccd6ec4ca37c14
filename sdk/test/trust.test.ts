import {
  type Bundle,
  encodeBundle,
  manifestHash,
  parseBundle,
  type Statement,
} from "@bombyx/protocol/attestation";
import { canonicalBytes } from "@bombyx/protocol/receipt";
import { newX25519KeyPair } from "@bombyx/protocol/session";
import { fromBase64, fromUtf8, toBase64, toHex } from "@bombyx/protocol/wire";
import { AttestationError, BombyxClient, strictPolicy } from "@bombyx/sdk";
import { expect, test } from "vitest";
import { ask, type Stage, stage, story } from "./stand-in/index.ts";
import { StandInNode } from "./stand-in/node.ts";
import { saying } from "./stand-in/script.ts";

const alone = () => stage([{ name: "alone", script: saying(story) }]);

/** What must hold whenever a node is refused: no session, no sealed request, no byte of the prompt. */
function expectNothingSent({ gateway }: Stage): void {
  expect(gateway.saw("GET https://gateway.test/v1/candidates")).toBe(true);
  expect(gateway.saw("/sessions")).toBe(false);
  expect(gateway.saw("/v1/sealed/")).toBe(false);
  expect(gateway.saw("CANARY-7f3a")).toBe(false);
}

const restated = (bundle: Bundle, change: (statement: Statement) => void): Bundle => {
  const statement = JSON.parse(fromUtf8(fromBase64(bundle.statement))) as Statement;
  change(statement);
  return { ...bundle, statement: toBase64(canonicalBytes(statement)) };
};

const swaps: [string, string, (bundle: Bundle, other: Bundle) => Bundle][] = [
  [
    "key",
    "REPORT_DATA",
    (bundle) =>
      restated(bundle, ({ kem }) => {
        const key = kem.find(({ alg }) => alg === "x25519");
        if (key) key.pk = toHex(newX25519KeyPair().publicKey);
      }),
  ],
  ["quote", "REPORT_DATA", (bundle, other) => ({ ...bundle, quote: other.quote })],
  ["statement", "REPORT_DATA", (bundle, other) => ({ ...bundle, statement: other.statement })],
  ["whole bundle", "ATTESTATION_ID", (_, other) => other],
];

test.for(swaps)("a swapped %s is refused at %s, and nothing is sent", async ([, reason, swap]) => {
  const set = await alone();
  const [node] = set.gateway.nodes;
  if (!node) throw new Error("no node");
  const other = await StandInNode.create(set.world, { name: "other", script: saying(story) });
  node.bundle = encodeBundle(swap(parseBundle(node.bundle), parseBundle(other.bundle)));
  const refused = set.client.chat.completions.create(ask);
  await expect(refused).rejects.toBeInstanceOf(AttestationError);
  await expect(refused).rejects.toMatchObject({ code: "ATTESTATION", reason });
  expectNothingSent(set);
  expect(set.events.map(({ type }) => type)).toEqual(["refused"]);
});

test("the same bundle untampered is admitted, and called simulated by the client's own verdict", async () => {
  const { client, gateway, events } = await alone();
  const { choices, bombyx } = await client.chat.completions.create(ask);
  expect(choices[0].message.content).toBe(story);
  expect(bombyx).toMatchObject({
    simulated: true,
    receipt: "verified",
    node: gateway.nodes[0]?.candidate.node,
  });
  expect(client.verdict(ask)).toMatchObject({ simulated: true, policy: "simulation", suite: 2 });
  expect(events.map(({ type }) => type)).toEqual(["session"]);
});

test("the proof is the exact bundle that was judged, of the node that answers and of the one that stands by", async () => {
  const { client, gateway } = await stage();
  expect(client.proof(ask)).toBeUndefined();
  const verdict = await client.prepare(ask);
  const proof = client.proof(ask)!;
  const standby = client.standby(ask)!;
  expect(proof.verdict).toBe(verdict);
  for (const one of [proof, standby]) {
    const node = gateway.nodes.find(({ candidate }) => candidate.node === one.verdict.node)!;
    expect(one.bundle).toEqual(node.bundle);
    expect(one).toMatchObject({ manifest: node.candidate.manifest, owner: node.candidate.owner });
  }
  expect(standby.verdict.node).not.toBe(proof.verdict.node);
});

test("a tampered node is passed over for an honest one", async () => {
  const { client, gateway, world } = await stage([
    { name: "liar", score: 1_000_000, script: saying("You have been read.") },
    { name: "honest", score: 0.000_001, script: saying(story) },
  ]);
  const [liar] = gateway.nodes;
  const other = await StandInNode.create(world, { name: "other", script: saying(story) });
  if (liar) liar.bundle = other.bundle;
  const { choices } = await client.chat.completions.create(ask);
  expect(choices[0].message.content).toBe(story);
  expect(liar?.handshakes).toEqual([]);
});

test("the strict policy refuses the simulated network at CHAIN_ROOT, and nothing is sent", async () => {
  const set = await alone();
  const { gateway } = set;
  const strict = new BombyxClient({ gateway: gateway.url, apiKey: gateway.apiKey, fetch: gateway.fetch });
  const pinned = new BombyxClient({
    gateway: gateway.url,
    apiKey: gateway.apiKey,
    fetch: gateway.fetch,
    policy: strictPolicy,
  });
  for (const client of [strict, pinned]) {
    await expect(client.chat.completions.create(ask)).rejects.toMatchObject({ reason: "CHAIN_ROOT" });
  }
  expectNothingSent(set);
});

test("a node that holds another key than the attested one is not spoken to", async () => {
  const set = await alone();
  const [node] = set.gateway.nodes;
  const impostor = await StandInNode.create(set.world, { name: "impostor", script: saying(story) });
  if (node) node.handshake = (message) => impostor.handshake(message);
  await expect(set.client.chat.completions.create(ask)).rejects.toMatchObject({ code: "HANDSHAKE_INVALID" });
  expect(set.gateway.saw("/sessions")).toBe(true);
  expect(set.gateway.saw("/v1/sealed/")).toBe(false);
});

test("a genuine node that attests another model is refused for the one that was asked for", async () => {
  const set = await stage([{ name: "alone", model: "other-model", script: saying(story) }]);
  await expect(set.client.chat.completions.create(ask)).rejects.toMatchObject({ reason: "MANIFEST" });
  expectNothingSent(set);
  expect(set.gateway.nodes[0]?.candidate.manifest).toMatch(/^[0-9a-f]{64}$/);
  expect(manifestHash).toBeTypeOf("function");
});

test("a model's name stands for the weights that the policy lists, whatever an owner calls his file", async () => {
  const { gateway, world } = await alone();
  const clientOf = (sha256: string) =>
    new BombyxClient({
      gateway: gateway.url,
      apiKey: gateway.apiKey,
      fetch: gateway.fetch,
      policy: { ...world.policy(), tickMs: 0, models: { spark: ["cd".repeat(32), sha256] } },
    });
  const foreign = clientOf("ef".repeat(32)).chat.completions.create(ask);
  await expect(foreign).rejects.toMatchObject({ code: "ATTESTATION", reason: "MANIFEST" });
  expect(gateway.saw("/sessions")).toBe(false);
  const { choices } = await clientOf("ab".repeat(32)).chat.completions.create(ask);
  expect(choices[0].message.content).toBe(story);
});

test("a price row that its id does not name is refused", async () => {
  const set = await alone();
  Object.assign(set.gateway.price, { nanoPerUnit: 1_000_000n });
  await expect(set.client.chat.completions.create(ask)).rejects.toMatchObject({ code: "PRICE_UNKNOWN" });
  expectNothingSent(set);
});

test("a policy of two owners refuses a network of one, and is content with two", async () => {
  const nodes = (owners: [string, string]) =>
    owners.map((owner, index) => ({ name: `n${index}`, owner, script: saying(story) }));
  const answered = async (owners: [string, string]) => {
    const { gateway, world } = await stage(nodes(owners));
    const policy = { ...world.policy(), tickMs: 0 as const, minOwners: 2 };
    const client = new BombyxClient({
      gateway: gateway.url,
      apiKey: gateway.apiKey,
      fetch: gateway.fetch,
      policy,
    });
    return (await client.chat.completions.create(ask)).choices[0].message.content;
  };
  await expect(answered(["ada", "ada"])).rejects.toMatchObject({ code: "NO_CANDIDATE" });
  expect(await answered(["ada", "bob"])).toBe(story);
});

test("the standby is another owner's node on another platform where there is one", async () => {
  const { client, events } = await stage([
    { name: "main", owner: "ada", platform: "p1", score: 1_000_000, script: saying(story) },
    { name: "same-owner", owner: "ada", platform: "p2", score: 100, script: saying(story) },
    { name: "same-machine", owner: "bob", platform: "p1", score: 10, script: saying(story) },
    { name: "apart", owner: "bob", platform: "p3", score: 0.000_1, script: saying(story) },
  ]);
  await client.prepare(ask);
  const sessions = events.flatMap((event) => (event.type === "session" ? [[event.name, event.standby]] : []));
  expect(sessions).toEqual([
    ["main", false],
    ["apart", true],
  ]);
});

test("users do not share a session, and one user's requests do", async () => {
  const { client, gateway } = await alone();
  await client.chat.completions.create({ ...ask, user: "ada" });
  await client.chat.completions.create({ ...ask, user: "ada" });
  await client.chat.completions.create({ ...ask, user: "bob" });
  const paths = new Set(
    gateway.wire.map((bytes) => /v1\/sealed\/(\w+)/.exec(new TextDecoder().decode(bytes))?.[1]),
  );
  paths.delete(undefined);
  expect(paths.size).toBe(2);
  expect(JSON.stringify(gateway.nodes[0]?.requests)).not.toMatch(/ada|bob/);
});
