import {
  type Bundle,
  encodeBundle,
  type OpenBundle,
  parseBundle,
  parseOpenBundle,
} from "@bombyx/protocol/attestation";
import { canonicalBytes } from "@bombyx/protocol/receipt";
import { utf8 } from "@bombyx/protocol/wire";
import { type AttestationError, BombyxClient, type ClientEvent, type Policy } from "@bombyx/sdk";
import { openTier } from "@bombyx/sdk/open-tier";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { startNetwork, type TestNetwork } from "./network.ts";
import { startOpenNode } from "./open-node.ts";
import "./patience.ts";
import { startRelay, type Tamper } from "./recording-relay.ts";
import { user } from "./sse.ts";

/** Stands nowhere by chance. */
const canary = "What is the capital of France, asks the heron under bridge forty-one?";
const question = "What is the capital of France?";

let network: TestNetwork;
let open: Awaited<ReturnType<typeof startOpenNode>>;
let openPolicy: Policy;
beforeAll(async () => {
  network = await startNetwork({ nodes: 1, pace: 0 });
  open = await startOpenNode(network);
  const { chainEndpoints, attestation } = network.policy;
  openPolicy = openTier({ chainEndpoints, chain: attestation.chain });
  await vi.waitFor(async () => expect(await candidates("none")).toHaveLength(1), { timeout: 20_000 });
});
afterAll(async () => {
  await open?.child.stop(2_000);
  await network?.[Symbol.asyncDispose]();
});

const candidateSchema = z.object({
  candidates: z.array(z.looseObject({ node: z.string(), attestationId: z.string() })),
});
async function from(path: string): Promise<Response> {
  return await fetch(network.gateway.url + path, { headers: { authorization: `Bearer ${network.apiKey}` } });
}
async function candidates(tee?: "none" | "tdx") {
  const response = await from(`/v1/candidates?model=${network.model}${tee ? `&tee=${tee}` : ""}`);
  return response.ok ? candidateSchema.parse(await response.json()).candidates : [];
}
const bundleOf = async (attestationId: string) =>
  new Uint8Array(await (await from(`/v1/bundles/${attestationId}`)).arrayBuffer());

/** Asks under a policy, through somebody on the way who may be the gateway itself. */
async function ask(policy: Policy, tamper?: Tamper, words = question) {
  await using relay = await startRelay(network.gateway.url, tamper);
  const client = new BombyxClient({ gateway: relay.url, apiKey: network.apiKey, policy });
  const events: ClientEvent[] = [];
  client.observe((event) => events.push(event));
  const outcome = await client.chat.completions
    .create({ model: network.model, messages: user(words), temperature: 0, max_tokens: 16 })
    .then(
      ({ choices }) => ({ answer: choices[0]?.message.content ?? "" }),
      (error: unknown) => ({ error }),
    );
  client.close();
  return {
    outcome,
    served: events.flatMap((event) => (event.type === "session" ? [event.verdict] : [])),
    refused: events.flatMap((event) =>
      event.type === "refused" ? [(event.error as AttestationError).reason] : [],
    ),
    posts: relay.exchanges.filter(({ method }) => method === "POST").map(({ path }) => path),
    sent: relay.sentBytes(),
  };
}

/** An answer of the gateway's, rewritten. */
const rewriting =
  (begin: string, change: (body: Buffer, path: string) => Uint8Array | Promise<Uint8Array>): Tamper =>
  (path) =>
    path.startsWith(begin) ? async (body) => Buffer.from(await change(body, path)) : undefined;
const lying = (nodes: readonly object[]): Tamper =>
  rewriting("/v1/candidates", (body) =>
    utf8(JSON.stringify({ ...JSON.parse(body.toString()), candidates: nodes })),
  );
const both =
  (...tampers: readonly Tamper[]): Tamper =>
  (path) =>
    tampers.map((tamper) => tamper(path)).find((one) => one);

describe("a node of the open tier", () => {
  it("is heard of by whoever asks for its tier, and by nobody else", async () => {
    const ids = async (tee?: "none" | "tdx") => (await candidates(tee)).map(({ node }) => node);
    const quoted = network.nodes.map(({ node }) => node);
    expect(await ids()).toEqual(quoted);
    expect(await ids("tdx")).toEqual(quoted);
    expect(await ids("none")).toEqual([open.id]);
    const models = async (path: string) =>
      (await (await from(path)).json()).data.map(({ nodes }: { nodes: number }) => nodes);
    expect(await models("/v1/models")).toEqual([1]);
    expect(await models("/v1/models?tee=none")).toEqual([1]);
    expect((await from("/v1/models?tee=any")).status).toBe(400);
    const { nodes } = await (await from("/v1/network")).json();
    expect(nodes.map(({ node, tee }: { node: string; tee: string }) => [node, tee]).sort()).toEqual(
      [[open.id, "none"], ...quoted.map((node) => [node, "tdx"])].sort(),
    );
  });

  it("answers a client whose code chose its tier, sealed on the way, and is never called verified hardware", async () => {
    const { outcome, served, sent } = await ask(openPolicy, undefined, canary);
    expect(outcome).toHaveProperty("answer");
    expect(served.map(({ node, tee, policy }) => [node, tee, policy])).toEqual([[open.id, "none", "open"]]);
    expect(sent.length).toBeGreaterThan(1_024);
    expect(sent.includes(canary)).toBe(false);
  });
});

describe("a client of hardware alone", () => {
  it("asks a node with a quote: the twin of every attack below", async () => {
    const { outcome, served } = await ask(network.policy);
    expect(outcome).toEqual({ answer: expect.stringContaining("Paris") });
    expect(served.map(({ tee }) => tee)).toEqual(served.map(() => "tdx"));
  });

  it("is not talked into a node of the open tier by a gateway that offers nothing else", async () => {
    const { outcome, refused, posts } = await ask(network.policy, lying(await candidates("none")));
    expect(outcome).toMatchObject({
      error: { code: "ATTESTATION", reason: "TEE", message: expect.stringContaining("owner can read") },
    });
    expect(new Set(refused)).toEqual(new Set(["TEE"]));
    expect(posts).toEqual([]);
  });

  it("goes on with the node that it verified when both are offered to it", async () => {
    const { outcome, served } = await ask(
      network.policy,
      lying([...(await candidates("none")), ...(await candidates("tdx"))]),
    );
    expect(outcome).toEqual({ answer: expect.stringContaining("Paris") });
    expect(served.map(({ node }) => node)).not.toContain(open.id);
  });

  it("refuses the open tier's bundle under a quoted node's name, as it is and relabelled with a real quote", async () => {
    const [shown] = await candidates("none");
    const [quoted] = await candidates("tdx");
    const openBytes = await bundleOf(shown?.attestationId ?? "");
    const genuine = parseBundle(await bundleOf(quoted?.attestationId ?? ""));
    const plain = await ask(
      network.policy,
      rewriting("/v1/bundles/", () => openBytes),
    );
    expect(plain).toMatchObject({ outcome: { error: { reason: "TEE" } }, posts: [] });
    const { statement, link, manifests } = parseOpenBundle(openBytes);
    const relabelled: Bundle = { ...genuine, statement, link, manifests };
    const dressed = await ask(
      network.policy,
      both(
        lying([shown ?? {}]),
        rewriting("/v1/bundles/", () => encodeBundle(relabelled)),
      ),
    );
    expect(dressed).toMatchObject({ outcome: { error: { reason: "REPORT_DATA" } }, posts: [] });
  });

  it("gets no answer rather than one of the open tier when no node with a quote is left", async () => {
    const { outcome, posts } = await ask(network.policy, lying([]));
    expect(outcome).toMatchObject({ error: { code: "NO_CANDIDATE" } });
    expect(posts).toEqual([]);
  });
});

describe("a client of the open tier", () => {
  it("refuses a node with a quote, as it is and called open: what it says of a node is what was checked", async () => {
    const [quoted] = await candidates("tdx");
    const bytes = await bundleOf(quoted?.attestationId ?? "");
    const plain = await ask(openPolicy, lying([quoted ?? {}]));
    expect(plain).toMatchObject({ outcome: { error: { reason: "TEE" } }, posts: [] });
    const { v, statement, link, manifests } = parseBundle(bytes);
    const called: OpenBundle = {
      v,
      tee: "none",
      statement,
      link,
      manifests,
      statementSignature: link.signature,
    };
    const relabelled = await ask(
      openPolicy,
      both(
        lying([quoted ?? {}]),
        rewriting("/v1/bundles/", () => canonicalBytes(called)),
      ),
    );
    expect(relabelled).toMatchObject({ outcome: { error: { reason: "OPEN_SIGNATURE" } }, posts: [] });
  });

  it("refuses a bundle in which somebody exchanged the key", async () => {
    const exchanged = rewriting("/v1/bundles/", (body) => {
      const bundle = parseOpenBundle(new Uint8Array(body));
      const statement = JSON.parse(Buffer.from(bundle.statement, "base64").toString());
      const kem = [{ alg: "x25519", id: "00".repeat(8), pk: "09".repeat(32) }];
      const changed = canonicalBytes({ ...statement, kem, suites: [1] });
      return canonicalBytes({ ...bundle, statement: Buffer.from(changed).toString("base64") });
    });
    expect(await ask(openPolicy, exchanged)).toMatchObject({
      outcome: { error: { reason: "OPEN_SIGNATURE" } },
      posts: [],
    });
  });
});
