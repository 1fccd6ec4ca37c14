import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { BombyxError } from "@bombyx/protocol/wire";
import { type DownloadProgress, download } from "./download.ts";
import { modelIdOf, parseModelSpec } from "./model-spec.ts";

export interface ResolveModelOptions {
  /** Downloaded models lie here, each under its hash. */
  readonly cacheDir: string;
  readonly fetch?: typeof fetch;
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** @default https://huggingface.co */
  readonly hfBase?: string;
  readonly signal?: AbortSignal;
}

export interface ResolvedModel {
  readonly path: string;
  /** The name that clients ask for when the owner gives no other. */
  readonly id: string;
  /** What the file must hash to, when the name says it. */
  readonly sha256: string | undefined;
}

/**
 * Finds a model's GGUF file, and downloads it when it is not on this machine: a path,
 * `https://…#sha256=HEX` or `hf:owner/repo/file.gguf[#sha256=HEX]`.
 * @throws BombyxError BAD_REQUEST (not such a name, or not the file of that hash) or NOT_FOUND.
 */
export async function resolveModel(name: string, options: ResolveModelOptions): Promise<ResolvedModel> {
  const spec = parseModelSpec(name);
  const id = modelIdOf(spec);
  if (spec.kind === "path") {
    const path = resolve(spec.path);
    if (!(await isFile(path))) {
      throw new BombyxError("NOT_FOUND", `There is no model file at ${path}.`, { field: "model" });
    }
    return { path, id, sha256: undefined };
  }
  const { cacheDir, hfBase = "https://huggingface.co", fetch: request = fetch, onProgress, signal } = options;
  const url = spec.kind === "url" ? spec.url : `${hfBase}/${spec.repo}/resolve/main/${spec.file}`;
  const sha256 = spec.sha256 ?? (await linkedHash(url, request, signal));
  const path = join(cacheDir, `${sha256}.gguf`);
  if (!(await isFile(path))) await download({ url, sha256, path, fetch: request, onProgress, signal });
  return { path, id, sha256 };
}

/** Hugging Face names the SHA-256 of a large file in the answer that redirects to it. */
async function linkedHash(
  url: string,
  request: typeof fetch,
  signal: AbortSignal | undefined,
): Promise<string> {
  let response: Response;
  try {
    response = await request(url, { method: "HEAD", redirect: "manual", ...(signal && { signal }) });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new BombyxError("NOT_FOUND", `${url} cannot be reached.`, { field: "model", cause });
  }
  if (response.status >= 400) {
    throw new BombyxError(
      "NOT_FOUND",
      `${url} answered ${response.status}; check owner, repository and file.`,
      {
        field: "model",
      },
    );
  }
  const hash = /^"?([0-9a-f]{64})"?$/.exec(response.headers.get("x-linked-etag") ?? "")?.[1];
  if (hash === undefined) {
    throw new BombyxError(
      "BAD_REQUEST",
      `${url} names no SHA-256; add #sha256= and 64 lower-case hex digits.`,
      {
        field: "model",
      },
    );
  }
  return hash;
}

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
