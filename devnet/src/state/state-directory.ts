import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { lockState } from "./network-lock.ts";

/** Raised whenever older state cannot be read any more; there is no migration of a devnet, only a reset. */
export const stateVersion = 2;
const versionSchema = z.strictObject({ v: z.int().positive() });

/** What a running network tells about itself in `network.json`. */
export const runningSchema = z.strictObject({
  pid: z.int(),
  gateway: z.string(),
  proxy: z.string(),
  model: z.string(),
});
export type Running = z.infer<typeof runningSchema>;

/** Everything that a devnet keeps, below one directory that only its user may enter. */
export class StateDirectory {
  readonly root: string;
  readonly #lock: Disposable;

  private constructor(root: string, lock: Disposable) {
    this.root = root;
    this.#lock = lock;
  }

  /**
   * Opens or makes the directory, and holds it until {@link close}.
   * @throws AlreadyRunningError when another process holds it; Error when it is of another version.
   */
  static async open(root: string): Promise<StateDirectory> {
    await mkdir(root, { recursive: true });
    await chmod(root, 0o700);
    const lock = lockState(join(root, "lock"));
    try {
      const state = new StateDirectory(root, lock);
      const found = await state.readJson("version.json", versionSchema);
      if (!found) await state.write("version.json", JSON.stringify({ v: stateVersion }));
      else if (found.v !== stateVersion) {
        throw new Error(
          `${root} is of state version ${found.v}, this devnet reads version ${stateVersion}. Clear it with: npm run reset`,
        );
      }
      for (const folder of ["logs", "nodes", "gateway"]) await mkdir(state.path(folder), { recursive: true });
      return state;
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }

  /** Removes everything in `root`, the directory included; nothing happens when it is not there. */
  static async reset(root: string): Promise<void> {
    const entries = await readdir(root).catch(() => undefined);
    if (!entries) return;
    const foreign = entries.length > 0 && !entries.includes("version.json");
    if (foreign)
      throw new Error(
        `${root} does not look like a devnet's state: it has no version.json. Nothing was removed.`,
      );
    const lock = lockState(join(root, "lock"));
    lock[Symbol.dispose]();
    await rm(root, { recursive: true, force: true });
  }

  path(...parts: string[]): string {
    return join(this.root, ...parts);
  }

  /** Whole or not at all, and for its user alone: a start that is cut off leaves no half file behind. */
  async write(name: string, content: string): Promise<string> {
    const path = this.path(name);
    await writeFile(`${path}.new`, content, { mode: 0o600 });
    await rename(`${path}.new`, path);
    return path;
  }

  /** @throws Error that names the file when it does not parse; `undefined` when there is none. */
  async readJson<T>(name: string, schema: z.ZodType<T>): Promise<T | undefined> {
    const text = await this.readText(name);
    if (text === undefined) return undefined;
    try {
      return schema.parse(JSON.parse(text));
    } catch (cause) {
      throw new Error(`${this.path(name)} cannot be read. Clear the devnet with: npm run reset`, { cause });
    }
  }

  async readText(name: string): Promise<string | undefined> {
    try {
      return await readFile(this.path(name), "utf8");
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw error;
    }
  }

  /** What is kept under `name`, made at the first start by `make`. */
  async keep<T>(name: string, schema: z.ZodType<T>, make: () => Promise<T> | T): Promise<T> {
    const kept = await this.readJson(name, schema);
    if (kept !== undefined) return kept;
    const made = await make();
    await this.write(name, JSON.stringify(made));
    return made;
  }

  async remove(name: string): Promise<void> {
    await rm(this.path(name), { force: true });
  }

  close(): void {
    this.#lock[Symbol.dispose]();
  }
}

/** Says in one sentence that `root` is taken, and where its network is. */
export async function runningSentence(root: string): Promise<string> {
  const text = await readFile(join(root, "network.json"), "utf8").catch(() => "{}");
  const running = runningSchema.safeParse(JSON.parse(text)).data;
  if (!running) return `A devnet is starting or stopping in ${root}; wait a moment and try again.`;
  return `A devnet runs already in ${root} (process ${running.pid}): its endpoint is ${running.proxy}; stop it with Ctrl-C there, or with: kill ${running.pid}`;
}
