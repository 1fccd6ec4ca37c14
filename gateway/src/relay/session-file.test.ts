import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { limits } from "@bombyx/protocol/wire";
import { afterEach, beforeEach, expect, it } from "vitest";
import { id32 } from "../../test/attempts.ts";
import { type KeptSession, openSessionFile, type SessionFile, sessionFile } from "./session-file.ts";
import { SessionTable } from "./session-table.ts";

let dataDir: string;
let file: SessionFile;
let now = 1_000_000;
const open = () => openSessionFile({ dataDir, now: () => now });
const session = (name: string): KeptSession => ({
  id: id32(name),
  account: "person:1:2",
  node: id32("node"),
  attestationId: id32("attestation"),
});

beforeEach(() => {
  now = 1_000_000;
  dataDir = mkdtempSync(join(tmpdir(), "bombyx-sessions-"));
  file = open();
});
afterEach(() => {
  file.close();
  rmSync(dataDir, { recursive: true });
});

it("has a session in its file when it says so, whatever happens to the process then", async () => {
  await Promise.all(["a", "b", "c"].map((name) => file.put(session(name))));
  // Another process reads it while this one neither closes nor flushes anything more.
  const beside = open();
  for (const name of ["a", "b", "c"]) expect(beside.get(id32(name))).toEqual(session(name));
  expect(beside.get(id32("d"))).toBeUndefined();
  beside.close();
});

it("holds ids, an account and an end, and nothing else", async () => {
  await file.put(session("a"));
  const raw = new DatabaseSync(join(dataDir, sessionFile), { readOnly: true });
  expect(raw.prepare("SELECT * FROM sessions").all()).toEqual([
    {
      id: id32("a"),
      account: "person:1:2",
      node: id32("node"),
      attestation_id: id32("attestation"),
      expires_at: now + limits.epochGraceMs,
    },
  ]);
  raw.close();
});

it("forgets a session with its epoch, and takes the row away", async () => {
  await file.put(session("old"));
  now += 1_000;
  await file.put(session("new"));
  now += limits.epochGraceMs - 1_000;
  expect(file.get(id32("old"))).toBeUndefined();
  expect(file.get(id32("new"))).toEqual(session("new"));
  expect([file.prune(), file.prune()]).toEqual([1, 0]);
});

it("never gives back a session that ended, not even before that is written", async () => {
  await file.put(session("a"));
  file.delete(id32("a"));
  expect(file.get(id32("a"))).toBeUndefined();
  file.close();
  file = open();
  expect(file.get(id32("a"))).toBeUndefined();
});

it.each([
  ["is no database", Buffer.alloc(8_192, 7)],
  ["was cut short", undefined],
])("begins anew with a file that %s, and keeps a sound one", async (_, bytes) => {
  for (let n = 0; n < 300; n++) void file.put(session(`s${n}`));
  await file.put(session("a"));
  file.close();
  const path = join(dataDir, sessionFile);
  file = open();
  expect(file.get(id32("a"))).toEqual(session("a"));
  file.close();
  writeFileSync(path, bytes ?? readFileSync(path).subarray(0, 8_192));
  file = open();
  expect(file.get(id32("a"))).toBeUndefined();
  await file.put(session("b"));
  expect(file.get(id32("b"))).toEqual(session("b"));
});

it("lets a table take up the sessions of an earlier process, within an account's number, and of its account alone", async () => {
  const names = Array.from({ length: limits.sessionsPerAccountAndNode + 1 }, (_, n) => `s${n}`);
  await Promise.all(names.map((name) => file.put(session(name))));
  const table = new SessionTable(() => now, file);
  expect(() => table.use(id32("s0"), "person:1:3")).toThrow(expect.objectContaining({ code: "FORBIDDEN" }));
  expect(() => table.use(id32("never"), "person:1:2")).toThrow(
    expect.objectContaining({ code: "SESSION_UNKNOWN" }),
  );
  for (const name of names) {
    now++;
    expect(table.use(id32(name), "person:1:2")).toMatchObject({ ...session(name), earlier: true });
  }
  expect(table.size).toBe(limits.sessionsPerAccountAndNode);
  // The idlest made room, and is gone for good.
  expect(() => table.use(id32("s0"), "person:1:2")).toThrow(
    expect.objectContaining({ code: "SESSION_UNKNOWN" }),
  );
});
