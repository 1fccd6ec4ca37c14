import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { newSigningKeyPair, sign } from "@bombyx/protocol/session";
import { type Ack, ackSchema, BombyxError, fromHex, toHex } from "@bombyx/protocol/wire";
import type { LinkIdentity } from "../enclave/boot.ts";

const keyFile = "link.key";
const ackFile = "last-ack.json";

/**
 * What a node keeps on disk: the owner's link key, which opens no prompt, and the last Ack, which is
 * the owner's proof of what the gateway owes.
 */
export class StateDirectory {
  readonly #path: string;
  #writing: Promise<void> = Promise.resolve();
  #pending: Ack | undefined;

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

  /** The link key, made at first use. @throws BombyxError INTERNAL when the file holds something else. */
  async identity(payout: string): Promise<LinkIdentity> {
    const seed = (await this.#readSeed()) ?? (await this.#newSeed());
    const keys = newSigningKeyPair(seed);
    return { linkPk: keys.publicKey, payout, sign: (message) => sign(message, keys.privateKey) };
  }

  /** The last Ack of this node, if there was one that can be read. */
  async lastAck(node: string): Promise<Ack | undefined> {
    const text = await this.#read(ackFile);
    if (text === undefined) return undefined;
    try {
      const ack = ackSchema.parse(JSON.parse(text));
      return ack.node === node ? ack : undefined;
    } catch (cause) {
      throw new BombyxError("INTERNAL", `${join(this.#path, ackFile)} is damaged; move it away.`, { cause });
    }
  }

  /** Written in the background; of several that come together the newest is. */
  keepAck(ack: Ack): void {
    const idle = this.#pending === undefined;
    this.#pending = ack;
    if (!idle) return;
    this.#writing = this.#writing.then(async () => {
      const newest = this.#pending;
      this.#pending = undefined;
      if (newest) await this.#replace(ackFile, `${JSON.stringify(newest)}\n`);
    });
    this.#writing.catch(() => {});
  }

  /** Resolves when everything is on disk. @throws what the disk says. */
  flushed(): Promise<void> {
    return this.#writing;
  }

  async #readSeed(): Promise<Uint8Array | undefined> {
    const text = await this.#read(keyFile);
    if (text === undefined) return undefined;
    if (!/^[0-9a-f]{64}\n?$/.test(text)) {
      throw new BombyxError(
        "INTERNAL",
        `${join(this.#path, keyFile)} is not a link key; move it away to start as a new node.`,
      );
    }
    return fromHex(text.trim());
  }

  async #newSeed(): Promise<Uint8Array> {
    const seed = new Uint8Array(randomBytes(32));
    await this.#replace(keyFile, `${toHex(seed)}\n`);
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
