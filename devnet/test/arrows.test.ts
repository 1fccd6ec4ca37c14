import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";

/**
 * The arrows between rooms, held by the lint rules of biome.json: planted in a folder of its own, each
 * forbidden import is refused and each permitted one is not.
 */
const root = fileURLToPath(new URL("../..", import.meta.url));
const rooms = ["protocol", "contracts", "gateway", "node-agent", "sdk", "bot", "miniapp", "devnet", "bench"];
const arrows: Record<string, readonly string[]> = {
  protocol: [],
  contracts: [],
  gateway: ["protocol", "contracts"],
  "node-agent": ["protocol"],
  sdk: ["protocol", "contracts"],
  bot: ["sdk"],
  miniapp: ["sdk"],
  devnet: rooms,
  bench: rooms,
};

const pairs = rooms.flatMap((from) => rooms.filter((to) => to !== from).map((to) => ({ from, to })));
const permitted = pairs.filter(({ from, to }) => arrows[from]?.includes(to));
const missing = pairs.filter(({ from, to }) => !arrows[from]?.includes(to));

/** Path of a file → its one import. */
const planted = new Map<string, string>();
const plant = (path: string, specifier: string, statement = `import "${specifier}";`): string => {
  planted.set(path, `${statement}\n`);
  return path;
};

/** Only these folders of a node know the chain: what holds keys and prompts does not. */
const chainFolders = ["settlement", "link"] as const;
const chainless = ["enclave", "engine", "gpu", "quote", "state"] as const;

const forbidden: [what: string, path: string][] = [
  ...chainless.map((folder): [string, string] => [
    `${folder}/ of a node imports contracts`,
    plant(`node-agent/src/${folder}/chain.ts`, "@bombyx/contracts/vault"),
  ]),
  ...missing.map(({ from, to }): [string, string] => [
    `${from} imports ${to}`,
    plant(`${from}/src/to-${to}.ts`, `@bombyx/${to}`),
  ]),
  ...missing.map(({ from, to }): [string, string] => [
    `a deep folder of ${from} imports a door of ${to}`,
    plant(`${from}/src/deep/er/to-${to}.ts`, `@bombyx/${to}/door`),
  ]),
  ...missing
    .filter(({ from, to }) => !(from === "node-agent" && to === "contracts"))
    .map(({ from, to }): [string, string] => [
      `a test of ${from} imports ${to}`,
      plant(`${from}/src/to-${to}.test.ts`, `@bombyx/${to}`),
    ]),
  ...pairs.map(({ from, to }): [string, string] => [
    `${from} reaches into ${to} by path`,
    plant(`${from}/src/path-to-${to}.ts`, `../../${to}/src/index.ts`),
  ]),
  ...pairs.map(({ from, to }): [string, string] => [
    `a test of ${from} reaches into the tests of ${to} by path`,
    plant(`${from}/test/path-to-${to}.test.ts`, `../../${to}/test/world.ts`),
  ]),
  ...["export * from", "import type { A } from"].map((statement): [string, string] => [
    `gateway says "${statement}" of sdk`,
    plant(`gateway/src/${statement.split(" ")[0]}-${statement.length}.ts`, "", `${statement} "@bombyx/sdk";`),
  ]),
  ["gateway imports sdk when it runs", plant("gateway/src/run.ts", "", 'await import("@bombyx/sdk");')],
  ["gateway imports what opens a prompt", plant("gateway/src/opens.ts", "@bombyx/protocol/session")],
  ...["protocol", "gateway", "node-agent", "sdk"].map((room): [string, string] => [
    `${room} ships the simulation`,
    plant(`${room}/src/simulated.ts`, "@bombyx/protocol/simulation"),
  ]),
  ["bot ships the local Bot API", plant("bot/src/local.ts", "@bombyx/devnet/bot-api")],
  ["a test of the bot starts a network", plant("bot/test/network.test.ts", "@bombyx/devnet/network")],
  ["protocol ships its simulation by path", plant("protocol/src/deep/own.ts", "../simulation/index.ts")],
  ...["@bombyx/protocol/session", "@bombyx/protocol/receipt", "../enclave/keys.ts", "../quote/quote.ts"].map(
    (specifier, i): [string, string] => [
      `the engine knows ${specifier}`,
      plant(`node-agent/src/engine/knows-${i}.ts`, specifier),
    ],
  ),
];

const allowed: [what: string, path: string][] = [
  ...permitted.flatMap(({ from, to }): [string, string][] => [
    [`${from} imports ${to}`, plant(`${from}/src/to-${to}.ts`, `@bombyx/${to}`)],
    [
      `a test of ${from} imports a door of ${to}`,
      plant(`${from}/test/to-${to}.test.ts`, `@bombyx/${to}/door`),
    ],
  ]),
  ...rooms.flatMap((room): [string, string][] => [
    [`${room} imports itself by path`, plant(`${room}/src/deep/own-path.ts`, "../own/other.ts")],
    [`a test of ${room} imports its source by path`, plant(`${room}/test/own.test.ts`, "../src/index.ts")],
  ]),
  ...["protocol", "gateway", "node-agent", "sdk"].map((room): [string, string] => [
    `a test of ${room} simulates`,
    plant(`${room}/src/simulated.test.ts`, "@bombyx/protocol/simulation"),
  ]),
  ["devnet simulates", plant("devnet/src/simulated.ts", "@bombyx/protocol/simulation")],
  [
    "a test of the bot speaks to the local Bot API",
    plant("bot/test/local.test.ts", "@bombyx/devnet/bot-api"),
  ],
  ...chainFolders.map((folder): [string, string] => [
    `${folder}/ of a node imports contracts`,
    plant(`node-agent/src/${folder}/chain.ts`, "@bombyx/contracts/vault"),
  ]),
  [
    "a test of a node speaks to contracts",
    plant("node-agent/test/to-chain.test.ts", "@bombyx/contracts/vault"),
  ],
  ["the enclave holds sessions", plant("node-agent/src/enclave/own.ts", "@bombyx/protocol/session")],
  ["a test of the gateway is a client", plant("gateway/test/client.test.ts", "@bombyx/protocol/session")],
];

const reportSchema = z.object({
  diagnostics: z.array(z.object({ category: z.string(), location: z.object({ path: z.string() }) })),
});

describe("the arrows between rooms", () => {
  let folder: string;
  let refused: Set<string>;
  let cycles: Set<string>;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "bombyx-arrows-"));
    const config: unknown = JSON.parse(readFileSync(join(root, "biome.json"), "utf8"));
    // The planted folder is no checkout, so there is no ignore file to heed.
    writeFileSync(join(folder, "biome.json"), JSON.stringify({ ...Object(config), vcs: {} }));
    planted.set("sdk/src/hen.ts", 'import "./egg.ts";\n');
    planted.set("sdk/src/egg.ts", 'import "./hen.ts";\n');
    planted.set("sdk/src/chick.ts", 'import "./hen.ts";\n');
    for (const [path, text] of planted) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const { stdout } = spawnSync(
      join(root, "node_modules/.bin/biome"),
      ["lint", "--reporter=json", "--max-diagnostics=none"],
      { cwd: folder, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
    );
    const { diagnostics } = reportSchema.parse(JSON.parse(stdout));
    const filesOf = (rule: string) =>
      new Set(diagnostics.filter(({ category }) => category === rule).map(({ location }) => location.path));
    refused = filesOf("lint/style/noRestrictedImports");
    cycles = filesOf("lint/suspicious/noImportCycles");
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(forbidden)("are broken when %s, which is refused", (_what, path) => {
    expect(refused).toContain(path);
  });

  it.each(allowed)("allow that %s", (_what, path) => {
    expect(planted.has(path)).toBe(true);
    expect(refused).not.toContain(path);
  });

  it("do not run in a circle inside a room either", () => {
    expect(cycles).toEqual(new Set(["sdk/src/hen.ts", "sdk/src/egg.ts"]));
  });
});
