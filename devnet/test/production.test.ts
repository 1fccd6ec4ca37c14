import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";

/** What is published and what a Mini App is served as: built once, then read byte by byte. */
const root = fileURLToPath(new URL("../..", import.meta.url));
const buildTimeoutMs = 180_000;

/** Words that stand in the simulation's code and survive a minifier. */
const marks = [
  "SimulatedWorld",
  "Bombyx Simulated Root CA",
  "Bombyx Simulated TCB Signing",
  "Bombyx simulation, not Intel",
  "DEAD00000000",
];

const filesUnder = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

const marksIn = (files: readonly string[]): string[] => {
  const texts = files.map((file) => readFileSync(file, "utf8"));
  return marks.filter((mark) => texts.some((text) => text.includes(mark)));
};

let out: string;

function build(folder: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): void {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, "devnet/src/house/build.ts"), "--out", folder, ...args],
    { cwd: root, encoding: "utf8", env: { ...process.env, ...env } },
  );
  expect(status, stdout + stderr).toBe(0);
}

describe("a production build", () => {
  beforeAll(() => {
    out = mkdtempSync(join(tmpdir(), "bombyx-production-"));
    build(out, []);
  }, buildTimeoutMs);
  afterAll(() => rmSync(out, { recursive: true, force: true }));

  it.each(["protocol/dist", "sdk/dist", "node-agent/dist", "miniapp/dist"])(
    "holds no simulation in %s, while the same search finds it in its source",
    (folder) => {
      const files = filesUnder(join(out, folder));
      expect(files.length).toBeGreaterThan(0);
      expect(files.filter((file) => /simulation/.test(relative(out, file)))).toEqual([]);
      expect(marksIn(files)).toEqual([]);
      expect(marksIn(filesUnder(join(root, "protocol/src/simulation")))).toEqual(marks);
    },
  );

  it(
    "differs from a simulation build of the Mini App, in which the search finds the devnet's root",
    () => {
      const folder = join(out, "simulated");
      const policy = join(out, "policy.js");
      writeFileSync(
        policy,
        'export default { attestation: { root: { name: "Bombyx Simulated Root CA" } } };\n',
      );
      build(folder, ["--simulation"], { BOMBYX_SIMULATION: policy });
      expect(marksIn(filesUnder(join(folder, "miniapp/dist")))).toEqual(["Bombyx Simulated Root CA"]);
    },
    buildTimeoutMs,
  );

  it("makes the open tier's policy nowhere in the Mini App, while the same search finds it in the SDK", () => {
    const makesIt = (folder: string) =>
      filesUnder(join(out, folder)).filter((file) =>
        /name:\s*["'`]open["'`],\s*tee:\s*["'`]none["'`]/.test(readFileSync(file, "utf8")),
      );
    expect(makesIt("miniapp/dist")).toEqual([]);
    expect(makesIt("protocol/dist")).not.toEqual([]);
  });

  it.each(["protocol", "sdk", "node-agent"])("is JavaScript with types and no tests in %s", (room) => {
    const files = filesUnder(join(out, room, "dist"));
    const scripts = files.filter((file) => file.endsWith(".js"));
    expect(scripts.length).toBeGreaterThan(0);
    expect(files.filter((file) => !/\.(js|d\.ts)$/.test(file) || /\.test\./.test(file))).toEqual([]);
    for (const script of scripts) {
      expect(files).toContain(script.replace(/\.js$/, ".d.ts"));
      expect(readFileSync(script, "utf8")).not.toMatch(/(from|import\() ?"\.[^"]*\.ts"/);
    }
  });

  it.each(["protocol", "sdk", "node-agent"])("names every package that %s needs", (room) => {
    const versions = z.record(z.string(), z.string());
    const { name, dependencies, peerDependencies } = z
      .object({ name: z.string(), dependencies: versions, peerDependencies: versions.default({}) })
      .parse(JSON.parse(readFileSync(join(out, room, "package.json"), "utf8")));
    const imported = filesUnder(join(out, room, "dist"))
      .filter((file) => file.endsWith(".js"))
      .flatMap((file) => [
        ...readFileSync(file, "utf8").matchAll(/^(?:import|export) (?:[^"';]* from )?"([^".][^"]*)";$/gm),
      ])
      .map(([, specifier = ""]) => specifier)
      .filter((specifier) => !specifier.startsWith("node:"))
      .map((specifier) => specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/"));
    expect(imported).toContain("zod");
    const named = new Set([name, ...Object.keys(dependencies), ...Object.keys(peerDependencies)]);
    expect(imported.filter((specifier) => !named.has(specifier))).toEqual([]);
  });

  it.each(["protocol", "sdk", "node-agent"])("packs %s with its licence and every door it names", (room) => {
    const folder = join(out, room);
    const { stdout } = spawnSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
      cwd: folder,
      encoding: "utf8",
    });
    const packed = z
      .array(z.object({ files: z.array(z.object({ path: z.string() })) }))
      .parse(JSON.parse(stdout));
    const paths = packed.flatMap(({ files }) => files.map(({ path }) => path));
    expect(paths).toContain("LICENSE");
    expect(paths.filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts"))).toEqual([]);

    const manifest = z
      .object({
        exports: z.record(z.string(), z.record(z.string(), z.string())),
        bin: z.record(z.string(), z.string()).default({}),
      })
      .parse(JSON.parse(readFileSync(join(folder, "package.json"), "utf8")));
    const doors = Object.values(manifest.exports).flatMap(({ types, default: script }) => [types, script]);
    const named = [...doors, ...Object.values(manifest.bin)].filter((path) => path !== undefined);
    expect(named.length).toBeGreaterThan(0);
    for (const path of named) expect(paths).toContain(path.replace(/^\.\//, ""));
  });
});
