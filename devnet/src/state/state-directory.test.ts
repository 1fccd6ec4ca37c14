import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import * as z from "zod";
import { AlreadyRunningError } from "./network-lock.ts";
import { runningSentence, StateDirectory, stateVersion } from "./state-directory.ts";

let root: string;
beforeEach(async () => {
  root = join(await mkdtemp(join(tmpdir(), "bombyx-state-")), ".devnet");
});
afterEach(() => rm(join(root, ".."), { recursive: true, force: true }));

const seed = z.object({ seed: z.number() });

it("keeps what it made at the first start", async () => {
  let state = await StateDirectory.open(root);
  expect(await state.keep("seed.json", seed, () => ({ seed: 1 }))).toEqual({ seed: 1 });
  state.close();
  state = await StateDirectory.open(root);
  expect(await state.keep("seed.json", seed, () => ({ seed: 2 }))).toEqual({ seed: 1 });
  state.close();
});

it("lets nobody but its user read its files", async () => {
  const state = await StateDirectory.open(root);
  const path = await state.write("api-key", "secret");
  state.close();
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(root)).mode & 0o777).toBe(0o700);
});

it("is held by one network at a time, and says so in one sentence", async () => {
  const state = await StateDirectory.open(root);
  await expect(StateDirectory.open(root)).rejects.toBeInstanceOf(AlreadyRunningError);
  await expect(StateDirectory.reset(root)).rejects.toBeInstanceOf(AlreadyRunningError);
  expect(await runningSentence(root)).toMatch(/starting or stopping/);
  await state.write(
    "network.json",
    JSON.stringify({ pid: 77, gateway: "http://a", proxy: "http://127.0.0.1:11711/v1", model: "spark" }),
  );
  const sentence = await runningSentence(root);
  expect(sentence).toContain("http://127.0.0.1:11711/v1");
  expect(sentence).toContain("process 77");
  expect(sentence).not.toContain("\n");
  state.close();
  (await StateDirectory.open(root)).close();
});

it("refuses state of another version and names the way out", async () => {
  await mkdir(root);
  await writeFile(join(root, "version.json"), JSON.stringify({ v: stateVersion + 1 }));
  await expect(StateDirectory.open(root)).rejects.toThrow(
    new RegExp(`state version ${stateVersion + 1}.*npm run reset`),
  );
  await StateDirectory.reset(root);
  (await StateDirectory.open(root)).close();
});

it("names the file that cannot be read", async () => {
  const state = await StateDirectory.open(root);
  await writeFile(join(root, "seed.json"), "{");
  await expect(state.readJson("seed.json", seed)).rejects.toThrow(/seed\.json.*npm run reset/);
  state.close();
});

it("resets to nothing, twice if need be, but never a directory that is not its own", async () => {
  (await StateDirectory.open(root)).close();
  await StateDirectory.reset(root);
  await expect(readdir(root)).rejects.toThrow(/ENOENT/);
  await StateDirectory.reset(root);
  await mkdir(root);
  await writeFile(join(root, "thesis.txt"), "years of work");
  await expect(StateDirectory.reset(root)).rejects.toThrow(/Nothing was removed/);
  expect(await readdir(root)).toEqual(["thesis.txt"]);
});
