import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { TonClient } from "@ton/ton";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { curlLine } from "../src/screen.ts";
import { descendants, isAlive } from "./process-tree.ts";
import "./patience.ts";
import { chunks, collect, post, user } from "./sse.ts";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const readySchema = z.strictObject({
  gateway: z.url(),
  proxy: z.url().regex(/\/v1$/),
  apiKey: z.string().min(1),
  model: z.string().min(1),
  playground: z.url(),
  miniapp: z.url(),
  botApi: z.url(),
  ton: z.url().regex(/\/api\/v2\/jsonRPC$/),
  explorer: z.url(),
});
const overviewSchema = z.object({ accounts: z.array(z.object({ party: z.object({ name: z.string() }) })) });
type Ready = z.infer<typeof readySchema>;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "bombyx-start-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** A machine that has n times more to do than it has cores takes n times as long. */
const waitingFactor = (): number => Math.max(1, (loadavg()[0] ?? 0) / availableParallelism());

interface Started {
  readonly process: ChildProcess;
  readonly ready: Ready;
  readonly output: string[];
  /** Lines on standard error. */
  readonly said: string[];
  readonly tookMs: number;
}

/** As `npm start -- --json` runs it. */
async function start(): Promise<Started> {
  const begunAt = performance.now();
  const child = spawn(process.execPath, ["-C", "bombyx-source", main, "--json"], {
    env: { ...process.env, DEVNET_DIR: join(directory, ".devnet") },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output: string[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => output.push(line));
  const said: string[] = [];
  createInterface({ input: child.stderr }).on("line", (text) => said.push(text));
  const line = await Promise.race([
    once(lines, "line").then(([first]) => String(first)),
    once(child, "exit").then(([code]) =>
      Promise.reject(new Error(`npm start ended with ${code}: ${said.join(" ")}`)),
    ),
  ]);
  return {
    process: child,
    ready: readySchema.parse(JSON.parse(line)),
    output,
    said,
    tookMs: performance.now() - begunAt,
  };
}

async function stop(
  started: Started,
  signal: NodeJS.Signals,
): Promise<{ tookMs: number; code: number | null }> {
  const begunAt = performance.now();
  const exited = once(started.process, "exit");
  started.process.kill(signal);
  const [code] = (await exited) as [number | null];
  return { tookMs: performance.now() - begunAt, code };
}

/** One after the other on one machine, as its user would: each begins where the one before it ended. */
describe("npm start", () => {
  let running: Started;
  let below: readonly number[];
  afterAll(() => running?.process.kill("SIGTERM"));

  it("is ready in one line, and answers streamed and whole", async () => {
    running = await start();
    const { ready } = running;
    below = await descendants(running.process.pid ?? 0);
    expect(running.output).toHaveLength(1);
    expect(running.tookMs).toBeLessThan(15_000 * waitingFactor());
    // gateway, proxy, bot, two nodes and their engines
    expect(below.length).toBeGreaterThanOrEqual(7);

    for (const page of [ready.playground, ready.miniapp, ready.explorer]) {
      const opened = await fetch(page);
      expect([opened.status, await opened.text()]).toEqual([200, expect.stringContaining("<script")]);
      expect(opened.headers.get("content-security-policy")).toContain("default-src 'none'");
    }

    const { latestSeqno } = await new TonClient({ endpoint: ready.ton }).getMasterchainInfo();
    expect(latestSeqno).toBeGreaterThan(1);
    const { accounts } = overviewSchema.parse(
      await (await fetch(new URL("/api/overview", ready.explorer))).json(),
    );
    expect(accounts.map(({ party }) => party.name)).toEqual(
      expect.arrayContaining(["Vault", "Registry", "Operator", "Guardian", "Commit key"]),
    );

    const question = { model: ready.model, messages: user("What is the capital of France?"), temperature: 0 };
    const streamed = await collect(
      chunks(await post(ready, "/chat/completions", { ...question, stream: true })),
    );
    expect(streamed.text).toContain("Paris");
    expect(streamed.pieces).toBeGreaterThan(1);
    expect(streamed.finish).toBe("stop");

    const whole = await (await post(ready, "/chat/completions", question)).json();
    expect(whole).toMatchObject({
      object: "chat.completion",
      choices: [{ message: { role: "assistant", content: streamed.text }, finish_reason: "stop" }],
    });
  });

  it("prints a curl line that streams when it is pasted into a shell", async () => {
    const apiKeyFile = join(directory, ".devnet", "api-key");
    const { proxy, model } = running.ready;
    const { stdout } = await promisify(execFile)("sh", [
      "-c",
      curlLine({ proxy: { url: proxy }, apiKeyFile, model }),
    ]);
    expect(stdout.match(/^data: \{/gm)?.length).toBeGreaterThan(3);
    expect(stdout).toMatch(/data: \[DONE\]\s*$/);
  });

  it("says in one sentence that it runs already", async () => {
    const second = await refused();
    expect(second).toMatchObject({ code: 1, stdout: "" });
    expect(second.stderr.trim().split("\n")).toEqual([expect.stringContaining(running.ready.proxy)]);
  });

  it("stops without a trace, and takes its key along into the next start", async () => {
    const stopped = await stop(running, "SIGINT");
    expect(stopped.tookMs).toBeLessThan(5_000);
    expect(stopped.code).toBe(0);
    expect(below.filter(isAlive)).toEqual([]);

    const { apiKey } = running.ready;
    running = await start();
    expect(running.ready.apiKey).toBe(apiKey);
  });

  it("reports a node that is lost and goes on, and ends when the gateway is lost", async () => {
    const ended = once(running.process, "exit");
    process.kill(await pidOf(running, "simulated-node.ts"), "SIGKILL");
    await expect.poll(() => running.said.join("\n"), { timeout: 5_000 }).toMatch(/(alder|birch) is gone/);
    expect(running.process.exitCode).toBeNull();
    process.kill(await pidOf(running, "gateway/src/cli.ts"), "SIGKILL");
    expect(await ended).toEqual([1, null]);
    expect(running.said.join("\n")).toMatch(/gateway is gone \(SIGKILL\).*gateway\.log/);
  });

  it("leaves nobody behind when it is killed", async () => {
    running = await start();
    const left = await descendants(running.process.pid ?? 0);
    expect(left.filter(isAlive).length).toBeGreaterThanOrEqual(6);
    await stop(running, "SIGKILL");
    await expect.poll(() => left.filter(isAlive), { timeout: 10_000 }).toEqual([]);
  });

  it("says in its own words what is wrong with a model, and ends", async () => {
    const damaged = join(directory, "damaged.gguf");
    await writeFile(damaged, "GGUF, but only by name");
    for (const [MODEL, words] of [
      ["/no/such/model.gguf", /no model file at \/no\/such\/model\.gguf/],
      [damaged, /alder[\s\S]*corrupt[\s\S]*alder\.log/],
    ] as const) {
      const failed = await refused({ MODEL, DEVNET_NODES: "1" });
      expect(failed).toMatchObject({ code: 1, stdout: "" });
      expect(failed.stderr).toMatch(words);
    }
  });
});

/** A start that ends by itself. */
function refused(
  environment: Readonly<Record<string, string>> = {},
): Promise<{ code?: number; stdout: string; stderr: string }> {
  const env = { ...process.env, DEVNET_DIR: join(directory, ".devnet"), ...environment };
  return promisify(execFile)(process.execPath, ["-C", "bombyx-source", main, "--json"], { env }).catch(
    (error: { code: number; stderr: string; stdout: string }) => error,
  );
}

async function pidOf(started: Started, program: string): Promise<number> {
  const below = await descendants(started.process.pid ?? 0);
  const { stdout } = await promisify(execFile)("ps", ["-o", "pid=,args=", "-p", below.join(",")]);
  const line = stdout.split("\n").find((text) => text.includes(program));
  if (!line) throw new Error(`no process runs ${program}`);
  return Number.parseInt(line, 10);
}
