import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { appraise, gpuEvidenceHash, parseBundle } from "@bombyx/protocol/attestation";
import { fromBase64, fromHex, linkKind, toHex } from "@bombyx/protocol/wire";
import { expect, it } from "vitest";
import { gpuNonce } from "../../src/gpu/evidence.ts";
import { type GpuOptions, startNode } from "../../src/index.ts";
import { type LogFields, silentLog } from "../../src/log.ts";
import { Client } from "../client.ts";
import { Queue } from "../queue.ts";
import { ScriptedEngine } from "../scripted-engine.ts";
import { block, chain, simulatedPolicy, simulatedQuotes, World } from "../world.ts";
import { MintedMaker, MintedProvider } from "./minted-gpu.ts";

const minute = 60_000;
const maker = new MintedMaker();
const confidential = () => new MintedProvider(maker.device());
const options = (provider: MintedProvider, policy: GpuOptions["policy"] = "cc"): GpuOptions => ({
  policy,
  provider,
  rootSha256: maker.rootSha256,
});

it("says cc with the digest of evidence that it verified, which a client's own appraisal admits", async () => {
  const provider = confidential();
  await using world = await World.start({ gpu: options(provider) });
  const { bundle, attestationId, statement } = world.admission;
  const evidence = fromBase64(parseBundle(bundle).gpu ?? "");
  expect(statement.gpu).toEqual({ mode: "cc", evidence: toHex(gpuEvidenceHash(evidence)) });
  expect(JSON.parse(new TextDecoder().decode(evidence))).toMatchObject({
    v: 1,
    gpus: [{ chain: expect.any(Array) }],
  });
  expect(provider.asked).toEqual([gpuNonce(fromHex(statement.boot_id), fromHex(statement.sig_pk))]);
  const appraisal = {
    bundle,
    policy: await simulatedPolicy(),
    chain,
    now: block.at + minute,
    expect: { node: world.node.nodeId, attestationId },
  };
  expect(await appraise(appraisal)).toMatchObject({ simulated: true });
});

/** Starts a node whose engine asks before it loads. @returns what happened, in order */
async function starting(gpu: GpuOptions): Promise<readonly string[]> {
  const events: string[] = [];
  const provider = gpu.provider as MintedProvider;
  const aborted = new AbortController();
  const stateDir = await mkdtemp(join(tmpdir(), "bombyx-node-"));
  await startNode({
    // Nothing gets as far as the gateway.
    gateway: "http://127.0.0.1:9",
    stateDir,
    name: "with a GPU",
    quotes: await simulatedQuotes(),
    chain,
    gpu,
    signal: aborted.signal,
    engine: async (ask) => {
      const offload = await ask();
      events.push(`verified ${provider.asked.length}`, offload ? "loads on the GPU" : "loads without it");
      aborted.abort(new Error("seen enough"));
      return new ScriptedEngine();
    },
  }).catch((error) => events.push(error.reason ?? error.message));
  await rm(stateDir, { recursive: true });
  return events;
}

it("verifies GPUs before weights are loaded, and loads nothing on one that is not as it should be", async () => {
  expect(await starting(options(confidential()))).toEqual(["verified 1", "loads on the GPU", "seen enough"]);
  const outside = confidential();
  outside.current = { count: 1, confidential: false, developer: false };
  expect(await starting(options(outside))).toEqual(["GPU_CC_OFF"]);
  expect(await starting(options(outside, "plain"))).toEqual([
    "verified 0",
    "loads on the GPU",
    "seen enough",
  ]);
  expect(await starting(options(outside, "none"))).toEqual(["verified 0", "loads without it", "seen enough"]);
  const watched = confidential();
  watched.current = { count: 1, confidential: true, developer: true };
  expect(await starting(options(watched))).toEqual(["GPU_DEVELOPER_MODE"]);
  const absent = confidential();
  absent.current = undefined;
  expect(await starting(options(absent))).toEqual(["GPU_ABSENT"]);
  const foreign = new MintedProvider(new MintedMaker().device());
  expect(await starting(options(foreign))).toEqual(["GPU_CHAIN_ROOT"]);
  // With plain, evidence that is there must be good, too.
  expect(await starting(options(foreign, "plain"))).toEqual(["GPU_CHAIN_ROOT"]);
});

it("wants evidence of every GPU that the driver sees, and of each its own", async () => {
  const one = maker.device();
  const twice = new MintedProvider(one, one);
  expect(await starting(options(twice))).toEqual(["GPU_COUNT"]);
  const half = new MintedProvider(one);
  half.current = { count: 2, confidential: true, developer: false };
  expect(await starting(options(half))).toEqual(["GPU_COUNT"]);
  const both = new MintedProvider(one, maker.device());
  expect(await starting(options(both))).toContain("loads on the GPU");
});

it("says plain of a GPU outside confidential mode when its owner allows it, and none without a GPU", async () => {
  const outside = confidential();
  outside.current = { count: 1, confidential: false, developer: false };
  {
    await using world = await World.start({ gpu: options(outside, "plain") });
    expect(world.admission.statement.gpu).toEqual({ mode: "plain", evidence: null });
  }
  await using world = await World.start({ gpu: options(confidential(), "none") });
  expect(world.admission.statement.gpu).toEqual({ mode: "none", evidence: null });
});

it("serves nobody from the hour in which its GPU is not verified anew, until it is", async () => {
  const provider = confidential();
  const good = provider.current;
  const errors = new Queue<LogFields>();
  await using world = await World.start({
    gpu: options(provider),
    log: { ...silentLog, error: (_, fields = {}) => errors.push(fields) },
  });
  await Client.connect(world.gateway, world.admission);
  provider.current = { count: 1, confidential: false, developer: false };
  await world.pass(55 * minute);
  expect(await errors.next()).toMatchObject({ code: "GPU_CC_OFF" });
  // The old epoch would have five minutes left.
  const refused = Client.handshake(world.admission.statement, world.admission.attestationId, 2);
  expect(await world.gateway.open(linkKind.handshake, 0, refused.message).failed()).toMatchObject({
    code: "NODE_BUSY",
  });
  // Another GPU in its place is not the one that holds the weights.
  provider.current = good;
  const [first] = provider.gpus;
  provider.gpus = [maker.device()];
  await world.pass(15_000);
  expect(await errors.next()).toMatchObject({ code: "GPU_CHANGED" });
  provider.gpus = [first!];
  await world.pass(15_000);
  const next = await world.gateway.admissions.next();
  expect(next.statement.gpu.mode).toBe("cc");
  await Client.connect(world.gateway, next);
});
