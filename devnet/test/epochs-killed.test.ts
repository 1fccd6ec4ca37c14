import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { exitCode } from "@bombyx/contracts/refusal";
import { vaultMessages, vaultOps } from "@bombyx/contracts/vault-messages";
import { openLedger } from "@bombyx/gateway/ledger";
import { type EpochStep, sponsorName } from "@bombyx/gateway/settlement";
import { publishedLeafSchema } from "@bombyx/protocol/wire";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { globalId } from "../src/chain/chain-server.ts";
import { depositAllowance } from "../src/chain/settlement/deploy.ts";
import { type CrookedEndpoint, crookedEndpoint, straight } from "./crooked-endpoint.ts";
import { gram, localTon, type TestTon } from "./local-ton.ts";
import type { Told } from "./settlement-under-fire.ts";

// A dozen processes, one after the other.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 });

const entry = fileURLToPath(new URL("./settlement-under-fire.ts", import.meta.url));
const day = 24 * 3_600_000;
const deposit = gram(10);
type Ack = Extract<Told, { t: "ack" }>;

let chain: TestTon;
let one: CrookedEndpoint;
let two: CrookedEndpoint;
let folder: string;
let file: string;
/** Everything that any of the processes acknowledged. */
let acks: Ack[];
let owners: string[];
const running = new Set<ChildProcess>();

beforeEach(async () => {
  acks = [];
  owners = [];
  folder = await mkdtemp(join(tmpdir(), "bombyx-epochs-"));
  chain = await localTon("over HTTP", { stateRoot: join(folder, "chain") });
  [one, two] = [await crookedEndpoint(chain.url), await crookedEndpoint(chain.url)];
  const { settlement, ton } = chain;
  await depositAllowance(ton, settlement, { sponsor: sponsorName("acme"), nano: deposit });
  const seed = JSON.parse(readFileSync(join(folder, "chain", "ton-keys.json"), "utf8")) as {
    committer: string;
    ack: string;
  };
  const write = async (name: string, text: string) => {
    await writeFile(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  await mkdir(join(folder, "gateway"));
  file = await write(
    "settlement.json",
    JSON.stringify({
      globalId,
      vault: settlement.vault.address.toRawString(),
      registry: settlement.registry.address.toRawString(),
      endpoints: [one.url, two.url],
      committerSeedFile: await write("committer.seed", seed.committer),
      ackSeedFile: await write("ack.seed", seed.ack),
      epochMs: 1_000,
      heldMs: 0,
      pollMs: 1_000,
    }),
  );
});
afterEach(async () => {
  for (const child of running) child.kill("SIGKILL");
  running.clear();
  await Promise.all([one[Symbol.asyncDispose](), two[Symbol.asyncDispose]()]);
  await chain[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Runs the settlement until it dies by itself, or until it says something; then it is killed with -9. */
async function run(
  dieAt: EpochStep | "none",
  until: (told: Told) => boolean | Promise<boolean>,
): Promise<void> {
  const args = ["-C", "bombyx-source", entry, join(folder, "gateway"), file, dieAt];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  let words = "";
  child.stderr?.on("data", (chunk) => {
    words += chunk;
  });
  const exited = once(child, "close");
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const told = JSON.parse(line) as Told;
    if (told.t === "ack") acks.push(told);
    if (told.t === "owners") owners.push(told.message);
    if (await until(told)) child.kill("SIGKILL");
  }
  const [code, signal] = await exited;
  running.delete(child);
  if (signal !== "SIGKILL") throw new Error(`the settlement ended with ${code}: ${words}`);
}

const isPending = (told: Told): boolean => told.t === "state" && told.pending;
const isFinal = (epoch: number) => (told: Told) => told.t === "state" && told.final >= epoch && !told.pending;
const never = () => false;

const vault = () => chain.client.open(chain.settlement.vault).getVault();

/** Commits that the vault took. */
async function commits(): Promise<number> {
  const transactions = await chain.client.getTransactions(chain.settlement.vault.address, { limit: 100 });
  return transactions.filter((transaction) => {
    const body = transaction.inMessage?.body.beginParse();
    if (body === undefined || body.remainingBits < 32 || body.loadUint(32) !== vaultOps.commitEpoch)
      return false;
    return exitCode(transaction) === 0;
  }).length;
}

/** What was acknowledged for an epoch is in it; the ledger's books agree; the deposit was credited once. */
async function nothingWasLost(epoch: number): Promise<void> {
  const text = readFileSync(join(folder, "gateway", "epochs", `${epoch}.leaves.jsonl`), "utf8");
  const leaves = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => publishedLeafSchema.parse(JSON.parse(line)));
  for (const { index, epoch: by, freeNano } of acks) {
    if (by > epoch) continue;
    const leaf = leaves.find((found) => found.index === index);
    expect(BigInt(leaf?.earnedNano ?? 0), `acknowledged for epoch ${by}`).toBeGreaterThanOrEqual(
      BigInt(freeNano),
    );
  }
  expect(acks.some(({ epoch: by }) => by <= epoch)).toBe(true);
  const ledger = await openLedger({
    dataDir: join(folder, "gateway"),
    feeBps: 1_000,
    takeOverAt: Date.now(),
  });
  expect((await ledger.audit()).sumNano).toBe(0n);
  await ledger.sweep(Date.now() + 1, Date.now());
  const { availableNano } = await ledger.balance("sponsor:acme");
  const { nodes, clients } = await ledger.snapshot();
  expect(availableNano + (clients[0]?.chargedNano ?? 0n)).toBe(deposit);
  const last = acks.filter(({ index }) => index === 0).at(-1);
  expect(nodes[0]?.cumulativeNano).toBeGreaterThanOrEqual(BigInt(last?.freeNano ?? 0));
  await ledger.close();
}

const steps: readonly EpochStep[] = [
  "vault-read",
  "snapshot-taken",
  "files-written",
  "epoch-built",
  "proofs-pushed",
  "committing",
  "commit-sent",
];

it("commits an epoch once, killed with -9 at every step on the way", async () => {
  // A receipt must be there before an epoch can be built.
  await run("none", (told) => told.t === "ack");
  for (const step of steps) await run(step, never);
  await run("pending", never);
  await run("none", isPending);
  expect((await vault()).lastEpoch).toBe(1);
  await chain.ton.advance(day);
  for (const step of ["owners-told", "final"] as const) await run(step, never);
  await run("none", isFinal(1));
  const { finalRoot } = await vault();
  expect(finalRoot?.epoch).toBe(1);
  expect(await commits()).toBeGreaterThanOrEqual(1);
  expect(await commits()).toBeLessThanOrEqual(2);
  expect(owners.length).toBeGreaterThanOrEqual(1);
  await nothingWasLost(1);

  // The next one closes, too, and never falls.
  await run("none", (told) => told.t === "state" && told.pending && told.epoch === 2);
  const { pendingRoot } = await vault();
  expect(pendingRoot?.epoch).toBe(2);
  expect(pendingRoot?.committedNano).toBeGreaterThan(finalRoot?.committedNano ?? 0n);
  await nothingWasLost(2);
});

it("builds a root anew under the next number when the guardian vetoed it, and dies in between", async () => {
  await run("none", isPending);
  const { guardian } = chain.settlement.operator;
  await chain.send(guardian, {
    to: chain.settlement.vault.address,
    value: gram(0.05),
    bounce: true,
    body: vaultMessages.veto(1),
  });
  await chain.ton.settled();
  expect((await vault()).pendingRoot).toBeUndefined();
  await run("owners-told", never);
  await run("gone", never);
  expect(owners.every((message) => message.includes("stopped by a veto or a dispute"))).toBe(true);
  expect(owners.length).toBeGreaterThanOrEqual(1);
  await run("none", (told) => told.t === "state" && told.pending && told.epoch === 2);
  const { pendingRoot, lastEpoch } = await vault();
  expect([pendingRoot?.epoch, lastEpoch]).toEqual([2, 2]);
  await nothingWasLost(2);
});

it("commits nothing while two endpoints disagree or fail, and goes on when they agree", async () => {
  let seen = 0;
  const lie = (method: string, result: unknown) => {
    if (method !== "runGetMethod") return result;
    const { stack } = result as { stack: [string, string][] };
    return { ...(result as object), stack: [["num", "0x7"], ...stack.slice(1)] };
  };
  two.bend = lie;
  await run("none", (told) => told.t === "state" && told.problems.includes("chain") && ++seen > 2);
  expect((await vault()).lastEpoch).toBe(0);
  // Every third question fails.
  let asked = 0;
  two.bend = (_, result) => {
    if (++asked % 3 === 0) throw new Error("is down");
    return result;
  };
  await run("none", isPending);
  two.bend = straight;
  expect((await vault()).lastEpoch).toBe(1);
  await nothingWasLost(1);
});

it("goes on where it was after it stood still while a root became final", async () => {
  await run("none", isPending);
  let stopped = false;
  await run("none", async (told) => {
    const [child] = running;
    if (!stopped && told.t === "state") {
      stopped = true;
      child?.kill("SIGSTOP");
      await chain.ton.advance(day);
      child?.kill("SIGCONT");
    }
    return isFinal(1)(told);
  });
  expect((await vault()).finalRoot?.epoch).toBe(1);
  await nothingWasLost(1);
});
