import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { buildPackages } from "./build.ts";

/**
 * `npm run fork -- DIR`: the bot and the Mini App as a project of its own, on packed packages of the rest. What it
 * needs beside them is in `fork/`; docs/bot-developer.md is its guide.
 */
const root = fileURLToPath(new URL("../../..", import.meta.url));
const template = fileURLToPath(new URL("./fork", import.meta.url));
const guide = "docs/bot-developer.md";

/** Rooms that a fork makes its own. */
const ownRooms = ["bot", "miniapp"];
/** Tools of this repository that a fork needs too, at the same version. */
const tools = [
  "@types/node",
  "@types/react",
  "@types/react-dom",
  "@vitejs/plugin-react",
  "fast-check",
  "node",
  "typescript",
  "vite",
  "vitest",
];

const manifestSchema = z.looseObject({
  name: z.string(),
  version: z.string(),
  exports: z.record(z.string(), z.record(z.string(), z.string())).optional(),
  dependencies: z.record(z.string(), z.string()).default({}),
  devDependencies: z.record(z.string(), z.string()).default({}),
});
type Manifest = z.infer<typeof manifestSchema>;

const readManifest = (folder: string): Manifest =>
  manifestSchema.parse(JSON.parse(readFileSync(join(folder, "package.json"), "utf8")));
const writeJson = (file: string, value: unknown) =>
  writeFileSync(file, `${JSON.stringify(value, undefined, 2)}\n`);

/**
 * Writes the project.
 * @throws Error when the folder holds something already.
 */
export function fork(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new Error(`${folder} is not empty: name a new folder.`);
  }
  const scratch = mkdtempSync(join(tmpdir(), "bombyx-fork-"));
  try {
    mkdirSync(join(folder, "vendor"), { recursive: true });
    const packed = packPackages(scratch, join(folder, "vendor"));
    for (const room of ownRooms) {
      const leave = /(^|\/)(dist|node_modules)(\/|$)/;
      cpSync(join(root, room), join(folder, room), {
        recursive: true,
        filter: (source) => !leave.test(relative(root, source)),
      });
    }
    cpSync(template, folder, { recursive: true });
    // npm leaves out a file of this name when it packs, and git would obey it here.
    cpSync(join(folder, "gitignore"), join(folder, ".gitignore"));
    rmSync(join(folder, "gitignore"));
    mkdirSync(join(folder, "docs"));
    cpSync(join(root, guide), join(folder, guide));
    cpSync(join(root, "LICENSE"), join(folder, "LICENSE"));
    writeJson(join(folder, "package.json"), forkManifest(basename(folder), packed));
    writeJson(join(folder, "tsconfig.json"), forkTsconfig());
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** @returns name of each package → its tarball, from the project's folder. */
function packPackages(scratch: string, vendor: string): Map<string, string> {
  buildPackages(scratch, ["protocol", "contracts", "sdk"]);
  buildBotApi(scratch);
  return new Map(
    ["protocol", "contracts", "sdk", "devnet"].map((room) => {
      const folder = join(scratch, room);
      const manifest = readManifest(folder);
      writeJson(join(folder, "package.json"), withoutSources(manifest));
      const file = run(
        "npm",
        ["pack", "--ignore-scripts", "--silent", "--pack-destination", vendor],
        folder,
      ).trim();
      return [manifest.name, `file:vendor/${file}`];
    }),
  );
}

/** The sources are not in the package, so no condition may lead to them. */
function withoutSources({ exports = {}, ...manifest }: Manifest): object {
  const doors = Object.entries(exports).map(([door, { "bombyx-source": _, ...targets }]) => [door, targets]);
  return { ...manifest, exports: Object.fromEntries(doors) };
}

/** Of devnet, a fork's tests need one door: the local Bot API, which imports no other room. */
function buildBotApi(scratch: string): void {
  const source = join(root, "devnet/src/telegram/bot-api");
  const folder = join(scratch, "devnet");
  mkdirSync(folder, { recursive: true });
  const project = join(scratch, "bot-api.json");
  writeJson(project, {
    extends: join(root, "sdk/tsconfig.build.json"),
    compilerOptions: {
      rootDir: source,
      outDir: join(folder, "dist"),
      noEmitOnError: true,
      typeRoots: [join(root, "node_modules/@types")],
    },
    include: [source],
    exclude: [join(source, "**/*.test.ts")],
  });
  const modules = join(scratch, "node_modules");
  symlinkSync(join(root, "node_modules"), modules);
  try {
    run(join(root, "node_modules/.bin/tsc"), ["-p", project], root);
  } finally {
    unlinkSync(modules);
  }
  const { version, dependencies, devDependencies } = readManifest(join(root, "devnet"));
  const known: Readonly<Record<string, string>> = { ...devDependencies, ...dependencies };
  const door = { types: "./dist/local-bot-api.d.ts", default: "./dist/local-bot-api.js" };
  writeJson(join(folder, "package.json"), {
    name: "@bombyx/devnet",
    version,
    description: "A Bot API on this machine, for tests",
    license: "Apache-2.0",
    type: "module",
    files: ["dist"],
    exports: { "./bot-api": door },
    dependencies: Object.fromEntries(
      importedPackages(join(folder, "dist")).map((name) => {
        const pinned = known[name];
        if (pinned === undefined)
          throw new Error(`devnet/package.json does not pin ${name}, which the Bot API imports`);
        return [name, pinned];
      }),
    ),
  });
}

/** Packages that compiled files import, types among them. */
function importedPackages(folder: string): string[] {
  const names = globSync("**/*.{js,d.ts}", { cwd: folder }).flatMap((file) =>
    [...readFileSync(join(folder, file), "utf8").matchAll(/(?:from|import) "((?:@[\w-]+\/)?[\w-]+)/g)].map(
      ([, name]) => name ?? "",
    ),
  );
  return [...new Set(names)].filter((name) => name !== "node").sort();
}

function forkManifest(name: string, packed: ReadonlyMap<string, string>): object {
  const { devDependencies, version } = readManifest(root);
  const tarball = (room: string): Record<string, string> => ({
    [`@bombyx/${room}`]: packed.get(`@bombyx/${room}`) ?? "",
  });
  return {
    name: name.toLowerCase().replace(/[^a-z0-9._-]+/g, "-") || "my-bot",
    version,
    private: true,
    type: "module",
    license: "Apache-2.0",
    workspaces: ownRooms,
    engines: { node: ">=24" },
    scripts: {
      start: "node --env-file-if-exists=.env bot/src/main.ts",
      dev: "node --watch --env-file-if-exists=.env bot/src/main.ts",
      test: "tsc && vitest run",
      "build:miniapp": "vite build --config miniapp/vite.config.ts",
      postinstall: "node deploy/slim-node.mjs",
    },
    allowScripts: { node: true, fsevents: false },
    dependencies: { ...tarball("protocol"), ...tarball("contracts"), ...tarball("sdk") },
    devDependencies: {
      ...tarball("devnet"),
      ...Object.fromEntries(tools.map((tool) => [tool, devDependencies[tool]])),
    },
  };
}

/** This repository's, without the condition that leads to sources. */
function forkTsconfig(): object {
  const { compilerOptions, ...rest } = z
    .looseObject({ compilerOptions: z.looseObject({}) })
    .parse(JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8")));
  const { customConditions: _, ...options } = compilerOptions;
  return { ...rest, compilerOptions: options };
}

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, error } = spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0)
    throw new Error(`${basename(command)} ${args.join(" ")} failed:\n${stdout}`, { cause: error });
  return stdout;
}

if (import.meta.main) {
  const [folder, ...rest] = process.argv.slice(2);
  if (folder === undefined || rest.length > 0) {
    process.stderr.write("npm run fork -- DIR: takes one new folder.\n");
    process.exitCode = 2;
  } else {
    try {
      // npm runs a script in the repository; the folder is meant from where it was called.
      const target = resolve(process.env.INIT_CWD ?? process.cwd(), folder);
      fork(target);
      process.stdout.write(
        `Your bot is in ${target}. There:\n  npm install\n  npm test\nThen read ${guide}.\n`,
      );
    } catch (error) {
      process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
      process.exitCode = 1;
    }
  }
}
