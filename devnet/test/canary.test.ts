import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Child } from "../src/processes/child.ts";
import { startLinkRelay } from "./link-relay.ts";
import { startNetwork, type TestNetwork } from "./network.ts";
import { type RecordingRelay, startRelay } from "./recording-relay.ts";
import { formsOf, Scanner } from "./scanner.ts";
import { chunks, collect, post, user } from "./sse.ts";
import "./patience.ts";

/** Stands nowhere by chance. */
const canary = `the heron ${randomBytes(6).toString("hex")} nests under bridge forty-one`;
const scanner = new Scanner(canary);

let network: TestNetwork;
let snapshots: string;
/** What passed on the links of the nodes, unmasked, and between clients and the gateway. */
const onLinks: Buffer[] = [];
let toGateway: RecordingRelay;
/** What passed between the application and the proxy, in the clear. */
let toProxy: RecordingRelay;
const closing: AsyncDisposable[] = [];

beforeAll(async () => {
  snapshots = await mkdtemp(join(tmpdir(), "bombyx-snapshots-"));
  network = await startNetwork({
    pace: 10,
    instruments: {
      nodeFlags: ["--heapsnapshot-signal=SIGUSR2", `--diagnostic-dir=${snapshots}`],
      reach: async (part, gateway) => {
        if (part === "proxy") {
          toGateway = await startRelay(gateway);
          closing.push(toGateway);
          return toGateway.url;
        }
        const relay = await startLinkRelay(gateway, ({ bytes }) => {
          onLinks.push(bytes);
          return undefined;
        });
        closing.push(relay);
        return relay.url;
      },
    },
  });
  toProxy = await startRelay(new URL(network.proxy.url).origin);
  closing.push(toProxy);
});
afterAll(async () => {
  await network?.[Symbol.asyncDispose]();
  for (const one of closing) await one[Symbol.asyncDispose]();
  if (snapshots) await rm(snapshots, { recursive: true, force: true });
});

/** The process writes its snapshot beside its other diagnostics; it is whole when its JSON ends. */
async function heapSnapshot({ pid, kill }: Child): Promise<string> {
  kill("SIGUSR2");
  let path = "";
  await expect
    .poll(
      async () => {
        const name = (await readdir(snapshots)).find((file) => file.includes(`.${pid}.`));
        if (!name) return false;
        path = join(snapshots, name);
        return (await readFile(path)).subarray(-16).toString().trimEnd().endsWith("}");
      },
      { timeout: 60_000, interval: 200 },
    )
    .toBe(true);
  return path;
}

const repeat = (model: string) => ({
  model,
  messages: user(`Repeat this phrase: ${canary}. Then say it again: ${canary}.`),
  temperature: 0,
  max_tokens: 200,
  // The tiny model cannot copy what it has never seen: the grammar makes it say the phrase.
  response_format: {
    type: "json_schema" as const,
    json_schema: {
      name: "phrase",
      strict: true,
      schema: {
        type: "object",
        properties: { phrase: { type: "string", enum: [canary] } },
        required: ["phrase"],
        additionalProperties: false,
      },
    },
  },
});

/** Of a process that we started ourselves; only Linux shows it. */
const memoryOf = async ({ pid }: Child) =>
  process.platform === "linux" ? await scanner.inMemory(pid) : undefined;

const received = (relay: RecordingRelay) =>
  Buffer.concat(relay.exchanges.flatMap((exchange) => exchange.received));

describe("a phrase that only its writer, the model and its reader may see", () => {
  it("is found by the scanner in every form that it may take", () => {
    for (const [name, form] of formsOf(canary)) {
      expect(scanner.inBytes(Buffer.concat([randomBytes(7), form, randomBytes(7)]))).toContain(name);
    }
    for (const before of [0, 1, 2]) {
      const within = Buffer.concat([randomBytes(before), Buffer.from(canary), randomBytes(2)]);
      expect(scanner.inBytes(Buffer.from(within.toString("base64")))).toContain(`base64 at ${before}`);
    }
    expect(scanner.inBytes(randomBytes(4_096))).toEqual([]);
  });

  it("is nowhere in the gateway: traffic, database, logs, metrics, heap snapshot and memory", async () => {
    const { gateway, proxy } = network;
    const response = await post({ proxy: `${toProxy.url}/v1`, apiKey: network.apiKey }, "/chat/completions", {
      ...repeat(network.model),
      stream: true,
    });
    // In the middle of the answer, when question and answer are on their way through every process.
    const answer = chunks(response);
    let text = "";
    while (text.length < canary.length / 2) {
      const { value, done } = await answer.next();
      if (done) throw new Error(`the answer ended at ${JSON.stringify(text)}`);
      text += value.choices[0]?.delta.content ?? "";
    }
    const inGateway = await heapSnapshot(gateway);
    const inClient = await heapSnapshot(proxy);
    const memory = { gateway: await memoryOf(gateway), client: await memoryOf(proxy) };
    text += (await collect(answer)).text;
    expect(JSON.parse(text)).toEqual({ phrase: canary });

    // The scanner finds it where it must be: on the client's side.
    expect(await scanner.inFile(inClient)).toContain("plain");
    expect(scanner.inBytes(toProxy.sentBytes())).toContain("plain");
    if (memory.client) expect(memory.client.found).toContain("plain");

    // And nowhere in the gateway, in no form.
    expect(await scanner.inFile(inGateway)).toEqual([]);
    if (memory.gateway) {
      expect(memory.gateway.megabytes).toBeGreaterThan(20);
      expect(memory.gateway.found).toEqual([]);
    }
    for (const bytes of [toGateway.sentBytes(), received(toGateway), Buffer.concat(onLinks)]) {
      expect(bytes.length).toBeGreaterThan(4_096);
      expect(scanner.inBytes(bytes)).toEqual([]);
    }
    const database = await scanner.below(network.gatewayData);
    expect(database.looked).toBeGreaterThanOrEqual(3);
    expect(database.found).toEqual([]);
    const logs = await scanner.below(network.logs);
    expect(logs.looked).toBeGreaterThanOrEqual(4);
    expect(logs.found).toEqual([]);
    const metrics = Buffer.from(await (await fetch(gateway.metrics)).arrayBuffer());
    expect(metrics.toString()).toContain("bombyx_");
    expect(scanner.inBytes(metrics)).toEqual([]);
  });

  it("would have been found in the gateway, had anybody told it", async () => {
    const query = new URLSearchParams({ model: canary });
    const refused = await fetch(`${toGateway.url}/v1/candidates?${query}`, {
      headers: { authorization: `Bearer ${network.apiKey}` },
    });
    expect(await refused.json()).toMatchObject({ error: { code: "MODEL_UNKNOWN" } });
    expect(scanner.inBytes(received(toGateway))).toContain("plain");
    const memory = await memoryOf(network.gateway);
    if (memory) expect(memory.found.length).toBeGreaterThan(0);
  });
});
