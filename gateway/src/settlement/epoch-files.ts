import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";

/** Files of the epochs: the published leaves, and the clients' lines with their salts. */
export class EpochFiles {
  readonly #folder: string;

  constructor(dataDir: string) {
    this.#folder = join(dataDir, "epochs");
  }

  /** On the disk when it resolves; an epoch that is built anew before anybody knew of it replaces its files. */
  async write(
    epoch: number,
    { leafFile, clientFile }: { leafFile: Buffer; clientFile: Buffer },
  ): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await this.#replace(leavesOf(epoch), leafFile);
    await this.#replace(clientsOf(epoch), clientFile);
    const folder = await open(this.#folder);
    await folder.sync().finally(() => folder.close());
  }

  /** @returns `undefined` for an epoch without a file */
  async leaves(epoch: number): Promise<Buffer | undefined> {
    return await this.#read(leavesOf(epoch));
  }

  async clients(epoch: number): Promise<Buffer | undefined> {
    return await this.#read(clientsOf(epoch));
  }

  async #replace(name: string, bytes: Buffer): Promise<void> {
    const path = join(this.#folder, name);
    const file = await open(`${path}.part`, "w", 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.part`, path);
  }

  async #read(name: string): Promise<Buffer | undefined> {
    try {
      return await readFile(join(this.#folder, name));
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw error;
    }
  }
}

const leavesOf = (epoch: number): string => `${epoch}.leaves.jsonl`;
const clientsOf = (epoch: number): string => `${epoch}.clients.jsonl`;
