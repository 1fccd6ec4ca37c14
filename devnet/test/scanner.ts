import { createReadStream } from "node:fs";
import { open, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Ways in which a text may lie in memory or in a file. */
export function formsOf(text: string): ReadonlyMap<string, Buffer> {
  const bytes = Buffer.from(text);
  const hex = bytes.toString("hex");
  const forms = new Map([
    ["plain", bytes],
    ["UTF-16", Buffer.from(text, "utf16le")],
    ["hex", Buffer.from(hex)],
    ["HEX", Buffer.from(hex.toUpperCase())],
    ["URL", Buffer.from(encodeURIComponent(text))],
  ]);
  // Where the text begins inside a group of three bytes is not known; its outermost letters depend on neighbours.
  for (const before of [0, 1, 2]) {
    const padded = Buffer.concat([Buffer.alloc(before), bytes]);
    for (const encoding of ["base64", "base64url"] as const) {
      const whole = padded.subarray(0, padded.length - (padded.length % 3)).toString(encoding);
      forms.set(`${encoding} at ${before}`, Buffer.from(whole.slice(before === 0 ? 0 : 4)));
    }
  }
  return forms;
}

/** Looks for a text, in every form, in chunks of anything. */
export class Scanner {
  readonly #forms: ReadonlyMap<string, Buffer>;
  readonly #overlap: number;

  constructor(text: string) {
    this.#forms = formsOf(text);
    this.#overlap = Math.max(...[...this.#forms.values()].map(({ length }) => length));
  }

  /** @returns the forms that were found in one piece. */
  inBytes(bytes: Buffer): string[] {
    return [...this.#forms].filter(([, form]) => bytes.includes(form)).map(([name]) => name);
  }

  async inFile(path: string): Promise<string[]> {
    const found = new Set<string>();
    let tail = Buffer.alloc(0);
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 22 })) {
      const bytes = Buffer.concat([tail, chunk as Buffer]);
      for (const form of this.inBytes(bytes)) found.add(form);
      tail = bytes.subarray(-this.#overlap);
    }
    return [...found];
  }

  /** Every file below `folder` in which it is, with the forms. */
  async below(folder: string): Promise<{ looked: number; found: string[] }> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    const found: string[] = [];
    for (const file of files) {
      for (const form of await this.inFile(file)) found.push(`${file}: ${form}`);
    }
    return { looked: files.length, found };
  }

  /**
   * Everything that a process can write to: heaps of all its threads, buffers and stacks. A heap snapshot
   * shows strings of the main thread alone.
   */
  async inMemory(pid: number): Promise<{ megabytes: number; found: string[] }> {
    const maps = await readFile(`/proc/${pid}/maps`, "utf8");
    const memory = await open(`/proc/${pid}/mem`);
    const found = new Set<string>();
    const chunk = Buffer.alloc((1 << 22) + this.#overlap);
    let bytes = 0;
    try {
      for (const line of maps.split("\n")) {
        const [, from = "", to = ""] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
        for (let at = Number.parseInt(from, 16); at < Number.parseInt(to, 16); at += 1 << 22) {
          const length = Math.min(chunk.length, Number.parseInt(to, 16) - at);
          // A region may have gone since it was listed.
          const { bytesRead } = await memory.read(chunk, 0, length, at).catch(() => ({ bytesRead: 0 }));
          bytes += bytesRead;
          for (const form of this.inBytes(chunk.subarray(0, bytesRead))) found.add(form);
        }
      }
    } finally {
      await memory.close();
    }
    return { megabytes: Math.round(bytes / 2 ** 20), found: [...found] };
  }
}
