import { strictPolicy } from "@bombyx/protocol/attestation";
import { BombyxClient } from "@bombyx/sdk";
import { expect, it } from "vitest";
import { startNetwork } from "./network.ts";
import "./patience.ts";
import { startRelay } from "./recording-relay.ts";
import { user } from "./sse.ts";

/** Long enough that it stands nowhere by chance. */
const canary = "the heron nests under bridge forty-one";

it("the strict policy refuses the simulated network at CHAIN_ROOT, in words, before a byte of the prompt leaves", async () => {
  await using network = await startNetwork({ pace: 0 });
  const ask = async (policy: typeof network.policy) => {
    await using relay = await startRelay(network.gateway.url);
    const client = new BombyxClient({ gateway: relay.url, apiKey: network.apiKey, policy });
    const outcome = await client.chat.completions
      .create({ model: network.model, messages: user(canary), max_tokens: 8 })
      .then((answer) => ({ answer }))
      .catch((error: unknown) => ({ error }));
    client.close();
    return { outcome, relay };
  };
  const paths = (relay: { exchanges: readonly { path: string; method: string }[] }) =>
    relay.exchanges.filter(({ method }) => method === "POST").map(({ path }) => path);

  const strict = await ask({ attestation: strictPolicy, chainEndpoints: network.policy.chainEndpoints });
  expect(strict.outcome).toMatchObject({
    error: { code: "ATTESTATION", reason: "CHAIN_ROOT", message: expect.stringMatching(/simulat|root/i) },
  });
  // It did ask who serves, so the wire was watched; it opened no session and sealed nothing.
  expect(strict.relay.exchanges.map(({ path }) => path)).toContainEqual(
    expect.stringMatching(/^\/v1\/bundles\//),
  );
  expect(paths(strict.relay)).toEqual([]);
  expect(strict.relay.sentBytes().includes(canary)).toBe(false);

  // The twin: the same relay sees the sealed request of a client that trusts this network, and no prompt in it…
  const trusting = await ask(network.policy);
  expect(trusting.outcome).toHaveProperty("answer");
  expect(paths(trusting.relay)).toContainEqual(expect.stringMatching(/^\/v1\/sealed\//));
  expect(trusting.relay.sentBytes().length).toBeGreaterThan(1_024);
  expect(trusting.relay.sentBytes().includes(canary)).toBe(false);

  // …and would have found the prompt, had anybody sent it in the clear.
  await using relay = await startRelay(network.gateway.url);
  await fetch(`${relay.url}/v1/models`, { method: "POST", body: JSON.stringify({ prompt: canary }) });
  expect(relay.sentBytes().includes(canary)).toBe(true);
});
