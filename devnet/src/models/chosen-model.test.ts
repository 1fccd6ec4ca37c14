import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { bundledModel } from "../config.ts";
import { chosenModel } from "./chosen-model.ts";

const file = Buffer.concat([Buffer.from("GGUF"), Buffer.alloc(5_000_000, 7)]);
const sha256 = createHash("sha256").update(file).digest("hex");

let cacheDir: string;
let server: Server;
let base: string;
beforeEach(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), "bombyx-models-"));
  server = createServer((_request, response) => {
    response.writeHead(200, { "content-length": file.length });
    response.end(file);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(cacheDir, { recursive: true, force: true });
});

async function choose(model: string | undefined, modelId?: string) {
  const said: string[] = [];
  const signal = new AbortController().signal;
  return {
    chosen: await chosenModel({ model, modelId, cacheDir, say: (text) => said.push(text), signal }),
    said,
  };
}

it("is the bundled model, paced so that it is seen to stream, when nothing is asked for", async () => {
  const { chosen } = await choose(undefined);
  expect(chosen).toEqual({ path: bundledModel, id: "spark", pace: 25 });
});

it("is a file on this machine, unpaced, under the name that was asked for", async () => {
  expect((await choose(bundledModel)).chosen).toEqual({ path: bundledModel, id: "spark", pace: 0 });
  expect((await choose(bundledModel, "qwen3:4b")).chosen.id).toBe("qwen3:4b");
});

it("is downloaded once, with its progress told, and verified", async () => {
  const { chosen, said } = await choose(`${base}/Tiny-Q8.gguf#sha256=${sha256}`);
  expect(chosen.id).toBe("tiny-q8");
  expect((await readFile(chosen.path)).equals(file)).toBe(true);
  expect(said.at(-1)).toMatch(/5 MB of 5 MB, 100 %/);
  expect((await choose(`${base}/Tiny-Q8.gguf#sha256=${sha256}`)).said).toEqual([]);
});

it("is refused when it is not the file of that hash, and nothing of it stays", async () => {
  const wrong = "0".repeat(64);
  await expect(choose(`${base}/tiny.gguf#sha256=${wrong}`)).rejects.toThrow(
    new RegExp(`expected ${wrong}, got ${sha256}`),
  );
  expect(await readdir(cacheDir)).toEqual([]);
  await expect(choose(`${base}/tiny.gguf`)).rejects.toThrow(/needs its hash/);
});
