import { type SpawnOptions, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";

/** A page that a tool builds from sources, kept until one of them changes. */
export interface PageRecipe {
  readonly name: string;
  /** Files and folders that decide what is built; what is not there decides by its absence. */
  readonly sources: readonly string[];
  /** Builds into `out`; ends early when `signal` is aborted. */
  build(out: string, signal: AbortSignal): Promise<void>;
}

const keptMs = 24 * 60 * 60_000;

/**
 * The folder of the built page below `cache`: what an earlier start built from the same sources, or a new build.
 * Builds of the same page that nobody has used for a day go away.
 * @throws Error with the tool's own words when it fails.
 */
export async function builtPage(cache: string, recipe: PageRecipe, signal: AbortSignal): Promise<string> {
  const folder = join(cache, `${recipe.name}-${await fingerprint(recipe)}`);
  const now = Date.now();
  if (existsSync(folder)) {
    await utimes(folder, now / 1_000, now / 1_000);
    return folder;
  }
  await mkdir(cache, { recursive: true });
  // Whole or not at all: a build that is cut off never looks like one that is done.
  const scratch = await mkdtemp(join(cache, `${recipe.name}.new-`));
  try {
    await recipe.build(scratch, signal);
    await rename(scratch, folder).catch((error: unknown) => {
      // Somebody else was as fast with the same sources.
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  await forgetUnused(cache, recipe.name, now);
  return folder;
}

async function forgetUnused(cache: string, name: string, now: number): Promise<void> {
  for (const entry of await readdir(cache)) {
    if (!entry.startsWith(`${name}-`)) continue;
    const path = join(cache, entry);
    const { mtimeMs } = await stat(path);
    if (now - mtimeMs > keptMs) await rm(path, { recursive: true, force: true });
  }
}

async function fingerprint({ sources }: PageRecipe): Promise<string> {
  const hash = createHash("sha256");
  for (const source of sources) {
    for (const file of await filesBelow(source)) {
      hash.update(`\0${file}\0`).update(await readFile(file));
    }
  }
  return hash.digest("hex").slice(0, 16);
}

async function filesBelow(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isDirectory()) return found ? [path] : [];
  const entries = await readdir(path, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && !/\.test\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Runs a tool and keeps its words to itself unless it fails. */
export async function runTool(
  command: string,
  args: readonly string[],
  options: SpawnOptions & { signal: AbortSignal },
): Promise<void> {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let words = "";
  const listen = (chunk: Buffer) => {
    words += chunk.toString();
  };
  child.stdout?.on("data", listen);
  child.stderr?.on("data", listen);
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0 ? resolve() : reject(new Error(`${command} ended with exit code ${code}:\n${words}`)),
    );
  });
}
