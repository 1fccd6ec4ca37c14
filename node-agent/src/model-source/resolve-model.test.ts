import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DownloadProgress } from "./download.ts";
import { resolveModel } from "./resolve-model.ts";

const file = randomBytes(300_000);
const sha256 = createHash("sha256").update(file).digest("hex");

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Serves the file as a store of models does, ranges included. */
const wholeFile: Handler = (request, response) => {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  if (request.headers.range === undefined)
    response.writeHead(200, { "Content-Length": file.length }).end(file);
  else if (from >= file.length) response.writeHead(416).end();
  else {
    response
      .writeHead(206, {
        "Content-Length": file.length - from,
        "Content-Range": `bytes ${from}-${file.length - 1}/${file.length}`,
      })
      .end(file.subarray(from));
  }
};

/** Sends so many bytes, and breaks off as soon as the client has some of them. */
function broken(bytes: number): { handler: Handler; onProgress: () => void } {
  let response: ServerResponse | undefined;
  return {
    handler: (_, answer) => {
      response = answer;
      answer.writeHead(200, { "Content-Length": file.length }).write(file.subarray(0, bytes));
    },
    onProgress: () => response?.destroy(),
  };
}

const gone: Handler = (_, response) => response.destroy();

let cacheDir = "";
let base = "";
let handlers: Handler[] = [];
let ranges: (string | undefined)[] = [];
const server = createServer((request, response) => {
  if (request.method === "GET") ranges.push(request.headers.range);
  (handlers.shift() ?? wholeFile)(request, response);
});

beforeEach(async () => {
  handlers = [];
  ranges = [];
  cacheDir = await mkdtemp(join(tmpdir(), "bombyx-models-"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(cacheDir, { recursive: true });
});

const spec = () => `${base}/models/Spark-2.GGUF#sha256=${sha256}`;

describe("a model by URL", () => {
  it("is downloaded, checked, and there the next time", async () => {
    const progress: DownloadProgress[] = [];
    const model = await resolveModel(spec(), { cacheDir, onProgress: (now) => progress.push(now) });
    expect(model).toEqual({ path: join(cacheDir, `${sha256}.gguf`), id: "spark-2", sha256 });
    expect(await readFile(model.path)).toEqual(file);
    expect(progress.at(-1)).toEqual({ receivedBytes: file.length, totalBytes: file.length });
    await resolveModel(spec(), { cacheDir });
    expect(ranges.length).toBe(1);
  });

  it("is continued where an earlier start broke off", async () => {
    await writeFile(join(cacheDir, `${sha256}.gguf.part`), file.subarray(0, 120_000));
    const { path } = await resolveModel(spec(), { cacheDir });
    expect(ranges).toEqual(["bytes=120000-"]);
    expect(await readFile(path)).toEqual(file);
  });

  it("is continued at once when the connection breaks", async () => {
    const { handler, onProgress } = broken(100_000);
    handlers = [handler, gone, gone];
    const { path } = await resolveModel(spec(), { cacheDir, onProgress });
    expect(ranges.length).toBe(4);
    expect(ranges[3]).toMatch(/^bytes=[1-9]\d*-$/);
    expect(await readFile(path)).toEqual(file);
  });

  it("begins anew with a server that knows no ranges", async () => {
    await writeFile(join(cacheDir, `${sha256}.gguf.part`), file.subarray(0, 120_000));
    handlers = [(_, response) => response.writeHead(200, { "Content-Length": file.length }).end(file)];
    const { path } = await resolveModel(spec(), { cacheDir });
    expect(await readFile(path)).toEqual(file);
  });

  it("needs no byte more when all were there and only the check was missing", async () => {
    await writeFile(join(cacheDir, `${sha256}.gguf.part`), file);
    const { path } = await resolveModel(spec(), { cacheDir });
    expect(await readFile(path)).toEqual(file);
  });

  it("is refused and deleted when it is another file than was named", async () => {
    const other = Buffer.from(file);
    other[1_000]! ^= 1;
    handlers = [(_, response) => response.writeHead(200, { "Content-Length": other.length }).end(other)];
    await expect(resolveModel(spec(), { cacheDir })).rejects.toMatchObject({
      code: "BAD_REQUEST",
      message: expect.stringContaining(sha256),
    });
    expect(await readdir(cacheDir)).toEqual([]);
    await resolveModel(spec(), { cacheDir });
  });

  it("keeps what came when the server is gone, and says that it can go on", async () => {
    const { handler, onProgress } = broken(100_000);
    handlers = [handler, gone, gone, gone];
    await expect(resolveModel(spec(), { cacheDir, onProgress })).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: expect.stringContaining("is kept and continued"),
    });
    expect(await readdir(cacheDir)).toEqual([`${sha256}.gguf.part`]);
  });

  it("says what the server answered when the model is not there", async () => {
    handlers = [(_, response) => response.writeHead(404).end()];
    await expect(resolveModel(spec(), { cacheDir })).rejects.toThrow(/answered 404/);
  });

  it("stops when it is told to", async () => {
    const stop = new AbortController();
    const stopped = resolveModel(spec(), { cacheDir, signal: stop.signal, onProgress: () => stop.abort() });
    await expect(stopped).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("a model by its name on Hugging Face", () => {
  const redirect: Handler = (_, response) =>
    response.writeHead(302, { "X-Linked-ETag": `"${sha256}"`, Location: `${base}/cdn/file` }).end();

  it("is checked against the hash that the answer names", async () => {
    handlers = [redirect, redirect];
    const model = await resolveModel("hf:owner/repo/q4/Model.Q4.gguf", { cacheDir, hfBase: base });
    expect(model).toMatchObject({ id: "model.q4", sha256 });
    expect(await readFile(model.path)).toEqual(file);
  });

  it("is refused when neither the answer nor the owner names a hash", async () => {
    handlers = [(_, response) => response.writeHead(200, { ETag: '"abc"' }).end()];
    const name = "hf:owner/repo/model.gguf";
    await expect(resolveModel(name, { cacheDir, hfBase: base })).rejects.toThrow(/add #sha256=/);
    await resolveModel(`${name}#sha256=${sha256}`, { cacheDir, hfBase: base });
  });

  it("says when there is no such file", async () => {
    handlers = [(_, response) => response.writeHead(404).end()];
    await expect(resolveModel("hf:owner/repo/no.gguf", { cacheDir, hfBase: base })).rejects.toThrow(
      /answered 404/,
    );
  });
});

describe("a model's name", () => {
  it.each([
    ["https://example.com/model.gguf", /needs its hash/],
    [`https://example.com/model.gguf#sha256=${sha256.toUpperCase()}`, /needs its hash/],
    ["hf:owner/model.gguf", /hf:owner\/repo\/file\.gguf/],
    ["hf:owner/repo/../x.gguf", /hf:owner\/repo\/file\.gguf/],
    ["", /No model is named/],
    ["/nowhere/model.gguf", /no model file at \/nowhere\/model\.gguf/],
  ])("is refused in words: %j", async (name, words) => {
    await expect(resolveModel(name, { cacheDir })).rejects.toThrow(words);
  });

  it("may be the path of a file that is there", async () => {
    const path = join(cacheDir, "Own.gguf");
    await writeFile(path, "GGUF");
    expect(await resolveModel(path, { cacheDir })).toEqual({ path, id: "own", sha256: undefined });
  });
});
