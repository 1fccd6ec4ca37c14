import { AccountClient } from "@bombyx/sdk/account";
import { NetworkClient } from "@bombyx/sdk/network";
import { defaultNodeCommand, estimateDay, gpus, nodeCommand, OwnerClient } from "@bombyx/sdk/owner";
import { expect, test } from "vitest";

const gateway = "https://gateway.test";
const machine = {
  id: "00ff",
  name: "attic",
  gpu: "NVIDIA H100 PCIe 80 GB",
  vramMib: 81_920,
  hoursPerDay: 20,
  registeredAt: 1,
  state: "unpaired",
  since: 1,
  pairing: { expiresAt: 900_001 },
  node: null,
  pairedAt: null,
  attestedAt: null,
  serving: null,
  total: { requests: 0, units: 0, earnedNano: "0" },
  today: { requests: 0, units: 0, earnedNano: "0" },
  minutes: [],
  warnings: [],
};

/** A gateway that answers with `answers` in order, and the calls that it got. */
function scripted(...answers: readonly (object | Response)[]) {
  const calls: { method: string; url: string; key: string | null; body: unknown }[] = [];
  const fetch = async (url: string, init: RequestInit = {}) => {
    const answer = answers[calls.length];
    calls.push({
      method: init.method ?? "GET",
      url,
      key: new Headers(init.headers).get("authorization"),
      body: typeof init.body === "string" ? JSON.parse(init.body) : undefined,
    });
    return answer instanceof Response ? answer : Response.json(answer ?? {});
  };
  return { calls, fetch };
}
const key = "Bearer bx-test";

test("an owner registers, renames, gets another code and removes, each by its own call", async () => {
  const pairing = { code: "AAAA-BBBB-CCCC", expiresAt: 900_001 };
  const { calls, fetch } = scripted(
    { at: 1, machines: [machine] },
    { machine, pairing },
    pairing,
    { machine: { ...machine, name: "cellar" } },
    { removed: machine.id },
  );
  const owner = new OwnerClient({ gateway, apiKey: "bx-test", fetch });
  expect(await owner.machines()).toEqual([machine]);
  const hardware = { gpu: machine.gpu, vramMib: machine.vramMib, hoursPerDay: 20, name: "attic" };
  expect(await owner.register(hardware)).toEqual({ machine, pairing });
  expect(await owner.newPairingCode("00ff")).toEqual(pairing);
  expect((await owner.rename("00ff", "cellar")).name).toBe("cellar");
  await owner.remove("../00ff");
  const path = "https://gateway.test/v1/owner/machines";
  expect(calls).toEqual([
    { method: "GET", url: path, key, body: undefined },
    { method: "POST", url: path, key, body: hardware },
    { method: "POST", url: `${path}/00ff/pairing-code`, key, body: {} },
    { method: "PATCH", url: `${path}/00ff`, key, body: { name: "cellar" } },
    { method: "DELETE", url: `${path}/..%2F00ff`, key, body: undefined },
  ]);
});

test("a refusal keeps the gateway's code and field; an answer of another shape is none", async () => {
  const error = { code: "MACHINE_LIMIT", message: "An account has at most 64 machines." };
  const { fetch } = scripted(Response.json({ error }, { status: 429 }), {
    at: 1,
    machines: [{ ...machine, state: "melted" }],
  });
  const owner = new OwnerClient({ gateway, apiKey: "bx-test", fetch });
  await expect(owner.register({ gpu: "g", vramMib: 0, hoursPerDay: 1 })).rejects.toMatchObject(error);
  await expect(owner.machines()).rejects.toMatchObject({ code: "GATEWAY_UNREACHABLE" });
});

test("the network is looked at without a credential", async () => {
  const price = {
    nanoPerUnit: "20",
    promptMultiplier: 10_000,
    cachedMultiplier: 1_000,
    completionMultiplier: 80_000,
    reasoningMultiplier: 80_000,
  };
  const now = {
    at: 5,
    nodes: [],
    models: [{ id: "spark", nodes: 1, slots: 4, price: { id: "ab".repeat(16), model: "spark", ...price } }],
    totals: {
      nodes: 1,
      ready: 1,
      slots: 4,
      running: 0,
      decodeTokensPerSecond: 99.5,
      requests: 3,
      units: 192,
    },
    minute: { at: 0, requests: 1, units: 64, nodes: 1 },
    terms: { price, ownerShareBps: 9_000 },
  };
  const { calls, fetch } = scripted(now, { at: 5, minutes: [[0, 1, 64, 2]] });
  const network = new NetworkClient({ gateway, fetch });
  expect((await network.now()).models[0]?.price.nanoPerUnit).toBe(20n);
  expect(await network.history()).toEqual([{ at: 0, requests: 1, units: 64, nodes: 2 }]);
  expect(calls.map(({ url, key: sent }) => [url, sent])).toEqual([
    [`${gateway}/v1/network`, null],
    [`${gateway}/v1/network/history`, null],
  ]);
});

test("events come as they are cut by the network, and what is no event is passed over", async () => {
  const event = (id: number) => ({
    id,
    at: 1,
    type: "node.online",
    account: "person:1:2",
    machine: null,
    node: null,
    name: "attic",
    message: null,
  });
  const text = `: here\n\nid: 1\ndata: ${JSON.stringify(event(1))}\n\ndata: {"type":"of tomorrow"}\n\ndata: nonsense\n\nid: 2\ndata: ${JSON.stringify(event(2))}\n\ndata: {"cut`;
  for (const size of [1, 7, text.length]) {
    const chunks = text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
    const body = new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
        controller.close();
      },
    });
    const { calls, fetch } = scripted(new Response(body));
    const seen: number[] = [];
    for await (const { id } of new AccountClient({ gateway, apiKey: "bx-test", fetch }).events({ after: 0 }))
      seen.push(id);
    expect(seen).toEqual([1, 2]);
    expect(calls[0]).toMatchObject({ url: `${gateway}/v1/events?after=0`, key });
  }
});

test("an event without end is cut off, not kept in memory", async () => {
  let sent = 0;
  const body = new ReadableStream({
    pull(controller) {
      sent++;
      controller.enqueue(new Uint8Array(10_000).fill(65));
    },
  });
  const { fetch } = scripted(new Response(body));
  const account = new AccountClient({ gateway, apiKey: "bx-test", fetch });
  await expect(account.events().next()).rejects.toMatchObject({ code: "BODY_TOO_LARGE" });
  expect(sent).toBeLessThan(20);
});

test("an estimate follows bandwidth, hours, price and share, and says its range", () => {
  const price = { nanoPerUnit: 20n, completionMultiplier: 80_000 };
  const day = estimateDay({ bandwidthGBs: 1_000, hoursPerDay: 24, price, ownerShareBps: 9_000 });
  expect(day.tokensPerSecond).toBe(300);
  // 300 tokens/s × 86,400 s × 8 units × 20 nano × 0.9, busy 5 % and 50 % of it.
  expect([day.lowNano, day.highNano]).toEqual([186_624_000n, 1_866_240_000n]);
  expect(estimateDay({ bandwidthGBs: 1_000, hoursPerDay: 0, price, ownerShareBps: 9_000 }).highNano).toBe(0n);
  expect(gpus.every(({ bandwidthGBs, vramMib }) => bandwidthGBs > 0 && vramMib > 0)).toBe(true);
});

test("the command holds the gateway and the code", () => {
  expect(nodeCommand(defaultNodeCommand, { gateway, code: "AAAA-BBBB-CCCC" })).toBe(
    "bombyx-node --gateway https://gateway.test --pair AAAA-BBBB-CCCC",
  );
});
