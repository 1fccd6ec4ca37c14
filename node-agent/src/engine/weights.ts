import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, mkdtemp, open, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BombyxError } from "@bombyx/protocol/wire";

/**
 * A private copy of the weights. The source is read once; the same bytes go through SHA-256 and into
 * the copy, and llama.cpp parses only the copy, so a host that changes its disk meanwhile changes nothing.
 */
export interface Weights {
  readonly sha256: string;
  readonly bytes: number;
  /** On a memory file system: the guest's own RAM, never the host's disk. */
  readonly inMemory: boolean;
  /** The copy, already without a name where the system allows it: hand it to the child as an inherited descriptor. */
  readonly file: FileHandle;
  /** A path for systems without /proc; the file under it is removed by `release`. */
  readonly path?: string;
  release(): Promise<void>;
}

const memoryFileSystem = "/dev/shm";
const chunkBytes = 4 * 1024 * 1024;
/** Left free beside the weights for KV cache, buffers and the rest of the machine. */
const headroomBytes = 256 * 1024 * 1024;
const minHeadroomBytes = 64 * 1024 * 1024;

/**
 * Copies and hashes the GGUF at `source`.
 * @throws BombyxError NOT_FOUND (no such file) or BAD_REQUEST (not a whole GGUF, too little memory).
 */
export async function takeWeights(
  source: string,
  onProgress: (fraction: number) => void,
  signal?: AbortSignal,
): Promise<Weights> {
  const from = await openSource(source);
  try {
    const { size } = await from.stat();
    await refuseForeignFormat(from, source);
    const room = await memoryRoom();
    const inMemory = room >= size + minHeadroomBytes;
    if (inMemory) refuseTooLittleMemory(size, source);
    const copy = await createCopy(inMemory ? memoryFileSystem : tmpdir());
    try {
      const sha256 = await copyHashed(from, copy.file, size, onProgress, signal);
      return { sha256, bytes: size, inMemory, ...copy };
    } catch (error) {
      await copy.release();
      throw error;
    }
  } finally {
    await from.close();
  }
}

async function openSource(source: string): Promise<FileHandle> {
  try {
    const file = await open(source, "r");
    if ((await file.stat()).isFile()) return file;
    await file.close();
  } catch (error) {
    throw new BombyxError(
      "NOT_FOUND",
      `There is no readable model at ${source}. Give the path of a GGUF file with --model.`,
      {
        field: "model",
        cause: error,
      },
    );
  }
  throw new BombyxError("NOT_FOUND", `${source} is not a file. Give the path of a GGUF file with --model.`, {
    field: "model",
  });
}

async function refuseForeignFormat(file: FileHandle, source: string): Promise<void> {
  const magic = Buffer.alloc(4);
  await file.read(magic, 0, 4, 0);
  if (magic.toString("latin1") === "GGUF") return;
  throw new BombyxError(
    "BAD_REQUEST",
    `${source} is not a GGUF file: it does not begin with "GGUF". Give a model in llama.cpp's GGUF format.`,
    { field: "model" },
  );
}

async function memoryRoom(): Promise<number> {
  if (process.platform !== "linux") return 0;
  try {
    const { bavail, bsize } = await statfs(memoryFileSystem);
    return bavail * bsize;
  } catch {
    return 0;
  }
}

function refuseTooLittleMemory(size: number, source: string): void {
  const free = process.availableMemory();
  if (free >= size + Math.min(headroomBytes, size + minHeadroomBytes)) return;
  const mib = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;
  throw new BombyxError(
    "BAD_REQUEST",
    `${source} needs ${mib(size)} and some working memory, but only ${mib(free)} are free. Use a smaller model or quantisation, or free memory.`,
    { field: "model" },
  );
}

async function createCopy(folder: string): Promise<Pick<Weights, "file" | "path" | "release">> {
  const home = await mkdtemp(join(folder, "bombyx-weights-"));
  const path = join(home, `${randomUUID()}.gguf`);
  // One descriptor that can read and write, so that the child's inherited one sees the same inode.
  const file = await open(path, "wx+", 0o600);
  if (process.platform !== "linux") {
    const release = async (): Promise<void> => {
      await file.close();
      await rm(home, { recursive: true, force: true });
    };
    return { file, path, release };
  }
  // Without a name nothing is left behind, even when this process is killed.
  await rm(home, { recursive: true, force: true });
  return { file, release: () => file.close() };
}

async function copyHashed(
  from: FileHandle,
  to: FileHandle,
  size: number,
  onProgress: (fraction: number) => void,
  signal?: AbortSignal,
): Promise<string> {
  const hash = createHash("sha256");
  const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, Math.max(1, size)));
  let at = 0;
  while (at < size) {
    signal?.throwIfAborted();
    const { bytesRead } = await from.read(buffer, 0, Math.min(buffer.length, size - at), at);
    if (bytesRead === 0) break;
    const chunk = buffer.subarray(0, bytesRead);
    hash.update(chunk);
    let written = 0;
    while (written < bytesRead) {
      written += (await to.write(chunk, written, bytesRead - written, at + written)).bytesWritten;
    }
    at += bytesRead;
    onProgress(at / size);
  }
  if (at !== size) {
    throw new BombyxError("BAD_REQUEST", `The model file shrank while it was read. Download it again.`, {
      field: "model",
    });
  }
  return hash.digest("hex");
}
