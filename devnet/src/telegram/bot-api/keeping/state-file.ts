import { mkdir, open, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { emptyState, type State } from "../world/state.ts";
import type { BlobStore } from "../world/world.ts";

/** Where a world is kept. */
export interface Keeping {
  readonly state: State;
  readonly blobs: BlobStore;
  /** Something has changed since the last write. */
  changed(): void;
  /** Resolves when everything that had changed by now is on disk. */
  kept(): Promise<void>;
}

export function inMemory(): Keeping {
  const blobs = new Map<string, Uint8Array>();
  return {
    state: emptyState(),
    blobs: {
      put: (path, bytes) => {
        blobs.set(path, bytes);
        return Promise.resolve();
      },
      get: (path) => Promise.resolve(blobs.get(path)),
    },
    changed: () => undefined,
    kept: () => Promise.resolve(),
  };
}

/** Only the outline: what is inside was written by this program, and is replaced whole. */
const stateOutline = z.looseObject({
  version: z.literal(1),
  nextUserId: z.number().int(),
  nextGroupNumber: z.number().int(),
  bots: z.record(z.string(), z.unknown()),
  persons: z.record(z.string(), z.unknown()),
  chats: z.record(z.string(), z.unknown()),
  files: z.record(z.string(), z.unknown()),
  invoiceLinks: z.record(z.string(), z.unknown()),
});

/**
 * Keeps a world in one JSON file, replaced whole so that a crash leaves the old one or the new one; contents of files lie
 * in a folder beside it. Tokens of bots are in it: nobody else may read it.
 * @throws Error when the file is there and is not a state of this version
 */
export async function inFile(file: string): Promise<Keeping> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const writer = new Writer(file, await load(file));
  const folder = `${file}.files`;
  const pathOf = (path: string) => join(folder, path.replaceAll("/", "_"));
  return {
    state: writer.state,
    blobs: {
      put: async (path, bytes) => {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await writeDurably(pathOf(path), bytes);
      },
      get: (path) => readFile(pathOf(path)).catch(ifMissing(undefined)),
    },
    changed: () => writer.changed(),
    kept: () => writer.kept(),
  };
}

async function load(file: string): Promise<State> {
  const text = await readFile(file, "utf8").catch(ifMissing(undefined));
  if (text === undefined) return emptyState();
  try {
    return stateOutline.parse(JSON.parse(text)) as unknown as State;
  } catch (cause) {
    throw new Error(`${file}: not a chat state of this version; move it away to begin with an empty one`, {
      cause,
    });
  }
}

/** One write at a time; whoever asks while one runs shares the next. */
class Writer {
  readonly state: State;
  readonly #file: string;
  #version = 0;
  #written = 0;
  #running: Promise<void> | undefined;

  constructor(file: string, state: State) {
    this.#file = file;
    this.state = state;
  }

  changed(): void {
    this.#version += 1;
  }

  async kept(): Promise<void> {
    const wanted = this.#version;
    while (this.#written < wanted) {
      this.#running ??= this.#write().finally(() => {
        this.#running = undefined;
      });
      await this.#running;
    }
  }

  async #write(): Promise<void> {
    const version = this.#version;
    await writeDurably(this.#file, JSON.stringify(this.state));
    this.#written = version;
  }
}

async function writeDurably(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.new`;
  await writeFile(temporary, content, { mode: 0o600, flush: true });
  await rename(temporary, path);
  const folder = await open(dirname(path));
  await folder.sync().finally(() => folder.close());
}

function ifMissing<T>(value: T) {
  return (error: NodeJS.ErrnoException): T => {
    if (error.code === "ENOENT") return value;
    throw error;
  };
}
