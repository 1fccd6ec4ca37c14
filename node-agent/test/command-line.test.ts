import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startEngine } from "../src/engine/start-engine.ts";
import { type CliOverrides, runCli } from "../src/index.ts";
import { readSettings } from "../src/settings.ts";
import { ChainServer } from "./chain-server.ts";
import { FakeGateway } from "./fake-gateway.ts";
import { Queue } from "./queue.ts";
import { ScriptedEngine, scriptedManifest } from "./scripted-engine.ts";
import { simulatedQuotes } from "./world.ts";

const spark = fileURLToPath(new URL("../../devnet/models/spark.gguf", import.meta.url));

let folder = "";
let chain: ChainServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bombyx-cli-"));
  chain = await ChainServer.start();
});
afterAll(async () => {
  await chain.close();
  await rm(folder, { recursive: true });
});

/** A run of the command, with what it printed. */
function command(argv: readonly string[], overrides: Partial<CliOverrides> = {}) {
  const out = new Queue<string>();
  const printed = { out: "", error: "" };
  const stop = new AbortController();
  const exit = runCli(argv, {
    environment: {},
    signal: stop.signal,
    chain: { name: "test", endpoints: chain.endpoints },
    startEngine: async (options) => {
      options.onLoadProgress?.(0.5);
      options.onLoadProgress?.(1);
      const manifest = { ...scriptedManifest, model: options.modelId };
      return new ScriptedEngine({ manifest, slots: options.slots });
    },
    stdout: {
      write(text) {
        printed.out += text;
        out.push(text);
      },
    },
    stderr: {
      write(text) {
        printed.error += text;
      },
    },
    ...overrides,
  });
  return { exit, out, printed, stop };
}

const node = (gateway: FakeGateway, model = spark) => [
  "--gateway",
  gateway.url,
  "--model",
  model,
  "--state",
  join(folder, "state"),
];

it("serves a model with one line for programs, and ends in order with status 0", async () => {
  const gateway = await FakeGateway.start();
  const { exit, out, stop, printed } = command(
    [...node(gateway), "--slots", "2", "--name", "alder", "--json"],
    {
      quoteProvider: await simulatedQuotes(),
    },
  );
  const line = JSON.parse(await out.next());
  expect(line).toEqual({ ready: true, node: expect.stringMatching(/^[0-9a-f]{64}$/), model: "spark" });
  const hello = await gateway.control.next();
  expect(hello).toMatchObject({ t: "hello", name: "alder" });
  const offer = await gateway.control.nextWhere(({ t }) => t === "offer");
  expect(offer).toMatchObject({ models: [{ id: "spark", slots: 2 }] });
  stop.abort();
  expect(await exit).toBe(0);
  expect(printed.error).toContain('"msg":"link.admitted"');
  await gateway.close();
}, 60_000);

it("tells a person what it does, and no secret", async () => {
  const gateway = await FakeGateway.start();
  const { exit, out, stop, printed } = command([...node(gateway), "--pair", "PAIR-secret"], {
    quoteProvider: await simulatedQuotes(),
  });
  await out.nextWhere((text) => text.startsWith("Node "));
  const hello = await gateway.control.next();
  // Not the machine's own name, which everybody would see.
  expect(hello).toMatchObject({ t: "hello", name: expect.stringMatching(/^node-[0-9a-f]{6}$/) });
  stop.abort();
  await exit;
  expect(printed.out).toMatch(/Loading the model: done\n/);
  const steps = [...printed.out.matchAll(/^✓ (\w+) /gm)].map(([, step]) => step);
  expect(steps).toEqual(["Quote", "Paired", "Model", "Loaded", "Measured", "Attested"]);
  expect(printed.out).toMatch(/4 answers at once, \d+ tokens\/s together/);
  expect(printed.out).toMatch(/Waiting for the first request …\n$/);
  expect(printed.out).toMatch(/Node [0-9a-f]{64} serves spark\. Ctrl-C stops it/);
  expect(printed.out + printed.error).not.toContain("PAIR-secret");
  await gateway.close();
});

it("warns whoever serves the open tier, and asks this machine for no quote", async () => {
  const gateway = await FakeGateway.start();
  const { exit, out, stop, printed } = command([...node(gateway), "--tee", "none"], {
    quoteProvider: {
      quote: () => Promise.reject(new Error("no quote is asked for")),
      collateral: () => Promise.reject(new Error("no collateral is asked for")),
    },
  });
  await out.nextWhere((text) => text.startsWith("Node "));
  stop.abort();
  expect(await exit).toBe(0);
  expect(printed.error).toContain("Whoever runs this computer can read every question and answer");
  const steps = [...printed.out.matchAll(/^✓ (\w+) /gm)].map(([, step]) => step);
  expect(steps).not.toContain("Quote");
  await gateway.close();
});

it("spends its code before the model is loaded, and says at once what is wrong with it", async () => {
  const gateway = await FakeGateway.start();
  gateway.refusal = { t: "refused", code: "PAIRING_SPENT", message: "The code is spent.", fatal: true };
  const { exit, printed } = command([...node(gateway, "/nowhere/model.gguf"), "--pair", "PAIR-1234"], {
    quoteProvider: await simulatedQuotes(),
  });
  expect(await exit).toBe(3);
  expect(printed.error).toMatch(/\(PAIRING_SPENT\): The code is spent\.\n {2}→ .*New code/);
  expect(printed.error).not.toContain("no model file");
  // Its twin: with a good code the next thing that is wrong is named.
  gateway.refusal = undefined;
  const paired = command([...node(gateway, "/nowhere/model.gguf"), "--pair", "PAIR-1234"], {
    quoteProvider: await simulatedQuotes(),
  });
  expect(await paired.exit).toBe(1);
  expect(paired.printed.out).toContain("✓ Paired");
  expect(paired.printed.error).toContain("There is no model file at /nowhere/model.gguf.");
  await gateway.close();
});

it("ends with status 3 and the gateway's words when it is refused for good", async () => {
  const gateway = await FakeGateway.start();
  gateway.refusal = { t: "refused", code: "PAIRING_INVALID", message: "Get a new code.", fatal: true };
  const { exit, printed } = command(node(gateway), { quoteProvider: await simulatedQuotes() });
  expect(await exit).toBe(3);
  expect(printed.error).toMatch(
    /bombyx-node: The gateway refused this node \(PAIRING_INVALID\): Get a new code\./,
  );
  await gateway.close();
});

it("ends with status 1 on a machine without TDX, and says what is missing", async () => {
  const gateway = await FakeGateway.start();
  const { exit, printed } = command(node(gateway));
  expect(await exit).toBe(1);
  expect(printed.error).toMatch(/no TDX virtual machine/);
  await gateway.close();
});

it("ends with status 1 when there is no such model, or it is none", async () => {
  const gateway = await FakeGateway.start();
  const quoteProvider = await simulatedQuotes();
  const absent = command(node(gateway, "/nowhere/model.gguf"), { quoteProvider });
  expect(await absent.exit).toBe(1);
  expect(absent.printed.error).toContain("There is no model file at /nowhere/model.gguf.");

  const corrupt = join(folder, "corrupt.gguf");
  await writeFile(corrupt, Buffer.concat([Buffer.from("GGUF"), randomBytes(5_000)]));
  const broken = command(node(gateway, corrupt), { quoteProvider, startEngine });
  expect(await broken.exit).toBe(1);
  expect(broken.printed.error).toMatch(/^bombyx-node: The model file is corrupt/);
  await gateway.close();
}, 60_000);

it("says that the gateway is out of reach and goes on trying until it is stopped", async () => {
  const gateway = await FakeGateway.start();
  const argv = node(gateway);
  await gateway.close();
  const problems = new Queue<string>();
  const { exit, stop } = command(argv, {
    quoteProvider: await simulatedQuotes(),
    stderr: { write: (text) => problems.push(text) },
  });
  for (let i = 0; i < 2; i++)
    await problems.nextWhere((text) => /no link to http.*trying again in/.test(text));
  stop.abort();
  expect(await exit).toBe(0);
});

it.each<[readonly string[], RegExp]>([
  [[], /--gateway URL is missing/],
  [["--gateway", "example.com"], /--gateway \(or BOMBYX_GATEWAY\) is "example.com"/],
  [["--gateway", "https://g.example"], /--model MODEL is missing/],
  [["--gateway", "https://g.example", "--model", "m", "--slots", "0"], /--slots .* is "0"/],
  [["--gateway", "https://g.example", "--model", "m", "--payout", ""], /--payout/],
  [["--gateway", "http://g.example", "--model", "m"], /http:\/\/g\.example.*pairing code.*Use https/],
  [["--simulation", "x"], /Unknown option '--simulation'/],
])("ends with status 2 and names the option that is wrong: %j", async (argv, words) => {
  const { exit, printed } = command(argv);
  expect(await exit).toBe(2);
  expect(printed.error).toMatch(words);
});

it("names all that is missing at once, with a whole line", async () => {
  const { exit, printed } = command(["--pair", "PAIR-1234"], { chain: undefined } as object);
  expect(await exit).toBe(2);
  for (const option of ["--gateway URL", "--model MODEL", "--chain-endpoints URL,URL"]) {
    expect(printed.error).toContain(`${option} is missing: `);
  }
  expect(printed.error).toContain("A whole line: bombyx-node --gateway ");
  expect(printed.error).not.toContain("PAIR-1234");
});

it("takes an http gateway on another machine only from who says so", () => {
  const argv = ["--gateway", "http://192.168.0.7:8780", "--model", "m"];
  expect(() => readSettings(argv, {}, { chainGiven: true })).toThrowError(
    expect.objectContaining({ code: "BAD_REQUEST" }),
  );
  expect(readSettings([...argv, "--allow-http", "yes"], {}, { chainGiven: true })).toMatchObject({
    settings: { gateway: "http://192.168.0.7:8780" },
  });
});

it("reads the same settings from variables, and flags go before them", async () => {
  const gateway = await FakeGateway.start();
  const { exit, out, stop } = command(["--name", "flag", "--json"], {
    quoteProvider: await simulatedQuotes(),
    environment: {
      BOMBYX_GATEWAY: gateway.url,
      BOMBYX_MODEL: spark,
      BOMBYX_MODEL_ID: "other-name",
      BOMBYX_NAME: "variable",
      BOMBYX_STATE: join(folder, "state"),
    },
  });
  expect(JSON.parse(await out.next())).toMatchObject({ model: "other-name" });
  expect(await gateway.control.next()).toMatchObject({ name: "flag" });
  stop.abort();
  await exit;
  await gateway.close();
});

it("explains every option", async () => {
  const { exit, printed } = command(["--help"]);
  expect(await exit).toBe(0);
  for (const option of ["--gateway URL", "--pair CODE", "--pace TOKENS_PER_S", "--json"]) {
    expect(printed.out).toContain(option);
  }
});
