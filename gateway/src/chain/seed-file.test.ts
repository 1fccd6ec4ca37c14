import { createPublicKey, sign, verify } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keyPairFromSeed } from "@ton/crypto";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ed25519Key, readSeed } from "./seed-file.ts";

const seed = "ab".repeat(32);
let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bombyx-seed-"));
  file = join(folder, "seed");
});
afterEach(() => rmSync(folder, { recursive: true }));

it("reads a seed that only its user can read", () => {
  writeFileSync(file, `${seed}\n`, { mode: 0o600 });
  expect(readSeed(file).toString("hex")).toBe(seed);
});

it("refuses a file that others can read, and never repeats what is in it", () => {
  writeFileSync(file, seed, { mode: 0o600 });
  for (const mode of [0o640, 0o604, 0o644]) {
    chmodSync(file, mode);
    expect(() => readSeed(file)).toThrow(/chmod 600/);
  }
  writeFileSync(file, "secret words in place of a seed");
  chmodSync(file, 0o600);
  expect(() => readSeed(file)).toThrow(/64 hex digits/);
  expect(() => readSeed(file)).not.toThrow(/secret words/);
});

it("makes the key that a wallet makes of the same seed", () => {
  const key = ed25519Key(Buffer.from(seed, "hex"));
  const { x = "" } = createPublicKey(key).export({ format: "jwk" });
  expect(Buffer.from(x, "base64url")).toEqual(keyPairFromSeed(Buffer.from(seed, "hex")).publicKey);
  const message = Buffer.from("message");
  expect(verify(null, message, createPublicKey(key), sign(null, message, key))).toBe(true);
});
