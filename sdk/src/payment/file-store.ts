import { type FileHandle, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { BombyxError } from "@bombyx/protocol/wire";
import { secondSigner } from "./second-signer.ts";
import { type SignerState, sameState, signerStateSchema, type VoucherStore } from "./signer-state.ts";

/** Files that signers of this process hold: its own id in a lock tells nothing. */
const held = new Set<string>();

/** A store in a file that only its user reads, with `FILE.lock` beside it while a signer is at it. */
export function fileStore(path: string): VoucherStore {
  const lock = `${path}.lock`;
  const read = async (): Promise<SignerState | undefined> => {
    let text: string;
    try {
      text = await readFile(path, "utf8");
    } catch (error) {
      if (codeOf(error) === "ENOENT") return undefined;
      throw error;
    }
    try {
      return signerStateSchema.parse(JSON.parse(text));
    } catch (cause) {
      throw new BombyxError("BAD_REQUEST", `${path} is no channel's file.`, { cause });
    }
  };
  return {
    read,
    async acquire() {
      if (held.has(path)) throw secondSigner(`Another signer of this process has ${path}.`);
      held.add(path);
      try {
        await lockFile(lock, path);
      } catch (error) {
        held.delete(path);
        throw error;
      }
      return async () => {
        held.delete(path);
        await rm(lock, { force: true });
      };
    },
    async replace(before, next) {
      if (!sameState(await read(), before)) return false;
      const beside = `${path}.${next.writer}.new`;
      await written(beside, "w", `${JSON.stringify(next, undefined, 2)}\n`);
      await rename(beside, path);
      await synced(dirname(path));
      return true;
    },
  };
}

async function lockFile(lock: string, path: string): Promise<void> {
  for (let tries = 0; tries < 3; tries++) {
    try {
      await written(lock, "wx", String(process.pid));
      return;
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
    }
    const pid = Number(await readFile(lock, "utf8").catch(() => ""));
    if (pid !== process.pid && isAlive(pid)) {
      throw secondSigner(`Process ${pid} signs vouchers with ${path}.`);
    }
    // Of a process that was killed.
    await rm(lock, { force: true });
  }
  throw secondSigner(`Another process took ${path} at the same moment.`);
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid < 1) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

async function written(path: string, flag: "w" | "wx", text: string): Promise<void> {
  const file = await open(path, flag, 0o600);
  await closing(file, async () => {
    await file.writeFile(text);
    await file.sync();
  });
}

/** A rename is on the disk when its folder is. */
async function synced(folder: string): Promise<void> {
  const file = await open(folder, "r");
  await closing(file, () => file.sync());
}

async function closing(file: FileHandle, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } finally {
    await file.close();
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "";
