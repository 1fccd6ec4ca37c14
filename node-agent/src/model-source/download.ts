import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { BombyxError } from "@bombyx/protocol/wire";

export interface DownloadProgress {
  readonly receivedBytes: number;
  /** When the server says it. */
  readonly totalBytes: number | undefined;
}

export interface DownloadOptions {
  readonly url: string;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly path: string;
  readonly fetch: typeof fetch;
  readonly onProgress: ((progress: DownloadProgress) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Tries in a row that bring no byte, before it is given up. */
const barrenTriesMax = 3;

/**
 * Downloads a file and checks its hash before it gets its name. What is there of an earlier try is
 * continued (HTTP Range); a connection that breaks is followed by another at once.
 * @throws BombyxError NOT_FOUND (no such file, or unreachable) or BAD_REQUEST (not the file of that hash).
 */
export async function download(options: DownloadOptions): Promise<void> {
  const part = `${options.path}.part`;
  await mkdir(dirname(options.path), { recursive: true });
  const hash = createHash("sha256");
  let received = await hashExisting(part, hash);
  let complete = false;
  let current: Hash = hash;
  let barren = 0;
  while (!complete) {
    const before = received;
    const attempt = await receive(options, part, current, received);
    ({ received, complete, hash: current } = attempt);
    barren = received > before ? 0 : barren + 1;
    if (!complete && barren >= barrenTriesMax) throw unreachable(options.url, attempt.cause);
  }
  const got = current.digest("hex");
  if (got !== options.sha256) {
    await rm(part, { force: true });
    throw new BombyxError(
      "BAD_REQUEST",
      `${options.url} is not the file of that hash: expected ${options.sha256}, got ${got}. It was deleted.`,
      { field: "model" },
    );
  }
  await rename(part, options.path);
}

interface Attempt {
  readonly received: number;
  readonly complete: boolean;
  readonly hash: Hash;
  readonly cause?: unknown;
}

/** One request, from byte `from` on. A server that knows no Range starts over, and so do we. */
async function receive(options: DownloadOptions, part: string, hash: Hash, from: number): Promise<Attempt> {
  const { url, signal } = options;
  let response: Response;
  try {
    response = await options.fetch(url, {
      headers: from > 0 ? { Range: `bytes=${from}-` } : {},
      ...(signal && { signal }),
    });
  } catch (cause) {
    signal?.throwIfAborted();
    return { received: from, complete: false, hash, cause };
  }
  // All bytes were there already: only the hash was not checked yet.
  if (response.status === 416 && from > 0) {
    await response.body?.cancel();
    return { received: from, complete: true, hash };
  }
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    throw new BombyxError("NOT_FOUND", `${url} answered ${response.status}; is the model still there?`, {
      field: "model",
    });
  }
  const resumes =
    response.status === 206 && response.headers.get("content-range")?.startsWith(`bytes ${from}-`);
  if (response.status === 206 && !resumes) {
    await response.body.cancel();
    throw new BombyxError("NOT_FOUND", `${url} sent another range than was asked for.`, { field: "model" });
  }
  const start = resumes ? from : 0;
  const running = resumes ? hash : createHash("sha256");
  const length = response.headers.get("content-length");
  const totalBytes = length === null ? undefined : start + Number(length);
  const file = await open(part, resumes ? "a" : "w");
  let received = start;
  try {
    for await (const chunk of response.body) {
      await file.writeFile(chunk);
      running.update(chunk);
      received += chunk.length;
      options.onProgress?.({ receivedBytes: received, totalBytes });
    }
  } catch (cause) {
    signal?.throwIfAborted();
    return { received, complete: false, hash: running, cause };
  } finally {
    await file.close();
  }
  return { received, complete: totalBytes === undefined || received >= totalBytes, hash: running };
}

async function hashExisting(part: string, hash: Hash): Promise<number> {
  const size = await stat(part).then(
    (found) => found.size,
    () => 0,
  );
  if (size > 0) for await (const chunk of createReadStream(part)) hash.update(chunk);
  return size;
}

function unreachable(url: string, cause: unknown): BombyxError {
  return new BombyxError(
    "NOT_FOUND",
    `${url} cannot be reached; what was downloaded is kept and continued.`,
    {
      field: "model",
      cause,
    },
  );
}
