import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

/**
 * `npm run build [-- --simulation] [--out DIR]`: the packages that are published, as JavaScript with
 * types (Node strips no types under node_modules), then the Mini App's bundle. With `--out` everything
 * lands there, ready for `npm pack`, and the working tree stays as it is.
 */
const root = fileURLToPath(new URL("../../..", import.meta.url));

/** In the order in which they need each other's types. */
export const publishedRooms = ["protocol", "contracts", "sdk", "node-agent"] as const;

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): void {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit", env });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed`, { cause: error });
}

const tool = (name: string): string => join(root, "node_modules/.bin", name);

/**
 * Compiles published rooms into `out/<room>/dist`; never tests, never the simulation.
 * @param rooms a part of them, those that it needs before it
 */
export function buildPackages(out: string, rooms: readonly string[] = publishedRooms): void {
  const scratch = mkdtempSync(join(tmpdir(), "bombyx-build-"));
  // The types just built name zod and others, which the compiler looks for above them.
  const modules = join(out, "node_modules");
  const linked = !existsSync(modules);
  mkdirSync(out, { recursive: true });
  if (linked) symlinkSync(join(root, "node_modules"), modules);
  try {
    for (const room of rooms) {
      const folder = join(out, room);
      rmSync(join(folder, "dist"), { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      const project = join(scratch, `${room}.json`);
      writeFileSync(
        project,
        JSON.stringify({
          extends: join(root, room, "tsconfig.build.json"),
          compilerOptions: {
            outDir: join(folder, "dist"),
            noEmitOnError: true,
            typeRoots: [join(root, "node_modules/@types")],
            // The types just built, not the sources: they are what a stranger's compiler will see.
            paths: Object.fromEntries(publishedRooms.flatMap((built) => doorTypes(built, join(out, built)))),
          },
        }),
      );
      run(tool("tsc"), ["-p", project]);
      copyFileSync(join(root, "LICENSE"), join(folder, "LICENSE"));
      if (folder !== join(root, room)) {
        copyFileSync(join(root, room, "package.json"), join(folder, "package.json"));
        const readme = join(root, room, "README.md");
        if (existsSync(readme)) copyFileSync(readme, join(folder, "README.md"));
      }
    }
  } finally {
    if (linked) unlinkSync(modules);
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Where the types of a built room's doors lie. */
function doorTypes(room: string, built: string): [specifier: string, paths: [string]][] {
  const { exports } = JSON.parse(readFileSync(join(root, room, "package.json"), "utf8")) as {
    exports: Record<string, { types?: string }>;
  };
  // A door without types is not built: it stays in this repository.
  return Object.entries(exports).flatMap(([door, { types }]) =>
    types === undefined ? [] : [[`@bombyx/${room}${door.slice(1)}`, [join(built, types)]]],
  );
}

/**
 * The Mini App's bundle, into `out/miniapp/dist`: production's, or with `simulationPolicy`, a devnet's
 * `policy.js`, the one for that devnet.
 */
export function buildMiniapp(out: string, simulationPolicy?: string): void {
  const { command, args, env } = miniappBuild(join(out, "miniapp/dist"), simulationPolicy);
  run(command, args, env);
}

/** The command that builds the Mini App into `folder`, for who does not want to wait for it. */
export function miniappBuild(
  folder: string,
  simulationPolicy?: string,
): { command: string; args: string[]; env: NodeJS.ProcessEnv } {
  if (simulationPolicy !== undefined && !existsSync(simulationPolicy)) {
    throw new Error(
      `A simulation build needs ${simulationPolicy}: run \`npm start\` once, or set BOMBYX_SIMULATION.`,
    );
  }
  return {
    command: tool("vite"),
    args: [
      "build",
      "--config",
      join(root, "miniapp/vite.config.ts"),
      "--logLevel",
      "warn",
      ...(simulationPolicy === undefined ? [] : ["--mode", "simulation"]),
    ],
    env: {
      ...process.env,
      // Whoever builds, a test runner among them: what ships is React without its development checks.
      NODE_ENV: "production",
      BOMBYX_MINIAPP_OUT: folder,
      ...(simulationPolicy !== undefined && { BOMBYX_SIMULATION: simulationPolicy }),
    },
  };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { simulation: { type: "boolean", default: false }, out: { type: "string" } },
  });
  const out = values.out === undefined ? root : resolve(values.out);
  buildPackages(out);
  const policy = process.env.BOMBYX_SIMULATION ?? join(root, ".devnet/policy.js");
  buildMiniapp(out, values.simulation ? policy : undefined);
}
