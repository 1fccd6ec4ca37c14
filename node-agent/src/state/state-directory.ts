import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { newSigningKeyPair, sign } from "@bombyx/protocol/session";
import { BombyxError, fromHex, toHex } from "@bombyx/protocol/wire";
import type * as z from "zod";
import type { LinkIdentity } from "../enclave/boot.ts";

const keyFile = "link.key";

interface Pending {
  readonly value: unknown;
  readonly written: Promise<void>;
}

/** What a node keeps on disk: the owner's keys, which open no prompt, and the proofs of what the gateway owes. */
export class StateDirectory {
  readonly #path: string;
  #writing: Promise<void> = Promise.resolve();
  readonly #pending = new Map<string, Pending>();

  private constructor(path: string) {
    this.#path = path;
  }

  /** @throws BombyxError INTERNAL when the folder cannot be made. */
  static async open(path: string): Promise<StateDirectory> {
    try {
      await mkdir(path, { recursive: true, mode: 0o700 });
    } catch (cause) {
      throw new BombyxError(
        "INTERNAL",
        `The state folder ${path} cannot be made; give another with --state.`,
        { cause },
      );
    }
    return new StateDirectory(path);
  }

  /** A folder of its own inside this one. @throws BombyxError INTERNAL when it cannot be made */
  folder(...path: string[]): Promise<StateDirectory> {
    return StateDirectory.open(join(this.#path, ...path));
  }

  /** Names of what lies in a folder inside this one; none when it is not there. */
  async names(folder: string): Promise<string[]> {
    return (await readdir(join(this.#path, folder)).catch(() => [])).sort();
  }

  /** The link key, made at first use. @throws BombyxError INTERNAL when the file holds something else. */
  async identity(payout: string): Promise<LinkIdentity> {
    const seed = await this.secret(keyFile);
    const keys = newSigningKeyPair(seed);
    return { linkPk: keys.publicKey, payout, sign: (message) => sign(message, keys.privateKey) };
  }

  /** A secret of this node's own, 32 bytes, made at first use. @throws BombyxError INTERNAL when the file holds something else. */
  async secret(file: string): Promise<Uint8Array> {
    return (await this.#readSeed(file)) ?? (await this.#newSeed(file));
  }

  /** Text of a file, undefined when it is not there. @throws BombyxError INTERNAL when it is damaged: not of this schema. */
  async read<T>(file: string, schema: z.ZodType<T>): Promise<T | undefined> {
    const text = await this.#read(file);
    if (text === undefined) return undefined;
    try {
      return schema.parse(JSON.parse(text));
    } catch (cause) {
      throw new BombyxError("INTERNAL", `${join(this.#path, file)} is damaged; move it away.`, { cause });
    }
  }

  /**
   * Resolves when `value`, or one that came later, is on disk: whole, and there after a power cut. Of several that come
   * together the newest is written.
   */
  keep(file: string, value: unknown): Promise<void> {
    const waiting = this.#pending.get(file);
    this.#pending.set(file, { value, written: waiting?.written ?? this.#next(file) });
    return (this.#pending.get(file) as Pending).written;
  }

  #next(file: string): Promise<void> {
    const written = this.#writing
      .catch(() => {})
      .then(async () => {
        const newest = this.#pending.get(file);
        this.#pending.delete(file);
        if (newest) await this.#replace(file, `${JSON.stringify(newest.value)}\n`);
      });
    this.#writing = written;
    written.catch(() => {});
    return written;
  }

  /** Resolves when everything is on disk. @throws what the disk says. */
  flushed(): Promise<void> {
    return this.#writing;
  }

  async #readSeed(file: string): Promise<Uint8Array | undefined> {
    const text = await this.#read(file);
    if (text === undefined) return undefined;
    if (!/^[0-9a-f]{64}\n?$/.test(text)) {
      throw new BombyxError(
        "INTERNAL",
        `${join(this.#path, file)} is not a key; move it away to start with a new one${file === keyFile ? ", as a new node" : ""}.`,
      );
    }
    return fromHex(text.trim());
  }

  async #newSeed(file: string): Promise<Uint8Array> {
    const seed = new Uint8Array(randomBytes(32));
    await this.#replace(file, `${toHex(seed)}\n`);
    return seed;
  }

  async #read(file: string): Promise<string | undefined> {
    try {
      return await readFile(join(this.#path, file), "utf8");
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw error;
    }
  }

  /** Whole or not at all, readable by the owner alone. */
  async #replace(file: string, text: string): Promise<void> {
    const path = join(this.#path, file);
    const temporary = `${path}.${process.pid}`;
    await writeFile(temporary, text, { mode: 0o600, flush: true });
    await rename(temporary, path);
  }
}
