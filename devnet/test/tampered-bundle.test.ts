import {
  AttestationError,
  type Bundle,
  encodeBundle,
  parseBundle,
  type Statement,
  statementBytes,
  statementSchema,
} from "@bombyx/protocol/attestation";
import { fromBase64, fromUtf8, toBase64 } from "@bombyx/protocol/wire";
import { BombyxClient, type ClientEvent } from "@bombyx/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startNetwork, type TestNetwork } from "./network.ts";
import "./patience.ts";
import { startRelay, type Tamper } from "./recording-relay.ts";
import { user } from "./sse.ts";

let network: TestNetwork;
/** The bundles as the gateway has them, one of each node. */
let bundles: Bundle[];
beforeAll(async () => {
  network = await startNetwork({ pace: 0 });
  bundles = await realBundles();
});
afterAll(() => network?.[Symbol.asyncDispose]());

describe("a bundle that somebody on the way changed", () => {
  it("passes when nobody did: the twin of every attack below", async () => {
    const { answer, exchanges } = await askThrough((bundle) => bundle);
    expect(await answer).toContain("Paris");
    expect(exchanges.filter(isSend).length).toBeGreaterThan(1);
  });

  it("is refused with another key in it, and nothing is sent", async () => {
    await expectRefused(
      (bundle) =>
        changeStatement(bundle, (statement) => ({
          ...statement,
          kem: [{ alg: "x25519", id: "00".repeat(8), pk: "09".repeat(32) }],
          suites: [1],
        })),
      "REPORT_DATA",
    );
  });

  it("is refused with another node's quote in it, and nothing is sent", async () => {
    await expectRefused((bundle) => ({ ...bundle, quote: other(bundle).quote }), "REPORT_DATA");
  });

  it("is refused with another node's statement in it, and nothing is sent", async () => {
    await expectRefused((bundle) => ({ ...bundle, statement: other(bundle).statement }), "REPORT_DATA");
  });

  it("is refused with another owner's link key in it, and nothing is sent", async () => {
    await expectRefused((bundle) => ({ ...bundle, link: other(bundle).link }), "NODE_ID");
  });

  it("is refused when it is another node's whole bundle, and nothing is sent", async () => {
    await expectRefused((bundle) => other(bundle), "ATTESTATION_ID");
  });
});

/** Asks through a relay that swaps each bundle for what `swap` makes of it. */
async function askThrough(swap: (bundle: Bundle) => Bundle) {
  const tamper: Tamper = (path) =>
    path.startsWith("/v1/bundles/")
      ? (body) => Buffer.from(encodeBundle(swap(parseBundle(body))))
      : undefined;
  const relay = await startRelay(network.gateway.url, tamper);
  const events: ClientEvent[] = [];
  const client = new BombyxClient({
    gateway: relay.url,
    apiKey: network.apiKey,
    policy: network.policy,
  });
  client.observe((event) => events.push(event));
  const answer = client.chat.completions
    .create({ model: network.model, messages: user("What is the capital of France?"), temperature: 0 })
    .then((completion) => completion.choices[0]?.message.content)
    .finally(async () => {
      client.close();
      await relay[Symbol.asyncDispose]();
    });
  await answer.catch(() => undefined);
  return { answer, events, exchanges: relay.exchanges };
}

const isSend = ({ method, path }: { method: string; path: string }) =>
  method === "POST" && /^\/v1\/(nodes|sealed)\//.test(path);

async function expectRefused(swap: (bundle: Bundle) => Bundle, reason: string): Promise<void> {
  const { answer, events, exchanges } = await askThrough(swap);
  await expect(answer).rejects.toMatchObject({ code: "ATTESTATION" });
  const refusals = events.filter((event) => event.type === "refused");
  expect(new Set(refusals.map(({ node }) => node)).size).toBe(network.nodes.length);
  for (const { error } of refusals) {
    expect(error).toBeInstanceOf(AttestationError);
    expect(error.reason).toBe(reason);
  }
  expect(exchanges.some((exchange) => exchange.path.startsWith("/v1/bundles/"))).toBe(true);
  expect(exchanges.filter(isSend)).toEqual([]);
}

function changeStatement(bundle: Bundle, change: (statement: Statement) => Statement): Bundle {
  const statement = statementSchema.parse(JSON.parse(fromUtf8(fromBase64(bundle.statement))));
  return { ...bundle, statement: toBase64(statementBytes(change(statement))) };
}

function other(bundle: Bundle): Bundle {
  const found = bundles.find((one) => one.link.linkPk !== bundle.link.linkPk);
  if (!found) throw new Error("this network has one node only");
  return found;
}

async function realBundles(): Promise<Bundle[]> {
  const get = (path: string) =>
    fetch(`${network.gateway.url}${path}`, { headers: { authorization: `Bearer ${network.apiKey}` } });
  const listed = await (await get(`/v1/candidates?model=${network.model}`)).json();
  return Promise.all(
    listed.candidates.map(async ({ attestationId }: { attestationId: string }) =>
      parseBundle(await (await get(`/v1/bundles/${attestationId}`)).bytes()),
    ),
  );
}
