import type { Dirent } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** A GGUF file that another program left on this machine. */
export interface FoundModel {
  readonly program: "Ollama" | "LM Studio" | "Hugging Face";
  /** As that program names it. */
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

/** Regular files below `directory` (links followed), at most `depth` levels down; none when it is not there. */
export async function* filesBelow(directory: string, depth: number): AsyncGenerator<string> {
  let entries: Dirent[];
  try {
    entries = await readdir(directory, { withFileTypes: true });
  } catch {
    // Absent or closed to us: this machine has nothing to offer there.
    return;
  }
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) {
      if (depth > 1) yield* filesBelow(path, depth - 1);
    } else {
      yield path;
    }
  }
}

/** Size in bytes when `path` is a file that begins like a GGUF; else `undefined`. */
export async function ggufBytes(path: string): Promise<number | undefined> {
  try {
    await using file = await open(path);
    const magic = new Uint8Array(4);
    await file.read(magic, 0, 4, 0);
    const { size } = await stat(path);
    return Buffer.from(magic).toString("latin1") === "GGUF" ? size : undefined;
  } catch {
    return undefined;
  }
}

/** Not a projector of a vision model, and no part of a model that is split over several files. */
export const loadsAlone = (name: string): boolean =>
  !/mmproj/i.test(name) && !/-\d{5}-of-\d{5}\.gguf$/i.test(name);
