import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, it } from "vitest";
import { id32 } from "../../test/attempts.ts";
import { openStore, type Store, storeFile } from "./open-store.ts";
import { storeMigrations } from "./schema.ts";
import { openSqlite } from "./sqlite.ts";

let dataDir: string;
let store: Store;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "bombyx-store-"));
  store = openStore({ dataDir });
});

afterEach(async () => {
  await store.close();
  rmSync(dataDir, { recursive: true });
});

const bundle = (name: string, validUntil = 2_000) => ({
  attestationId: id32(name),
  node: id32("node"),
  sigPk: id32("sig"),
  bytes: new TextEncoder().encode(`{"name":"${name}"}`),
  acceptedAt: 1_000,
  validUntil,
});

it("gives a bundle back byte for byte, also after a restart", async () => {
  await store.bundles.put(bundle("a"));
  await store.close();
  store = openStore({ dataDir });
  expect(await store.bundles.get(id32("a"))).toEqual(bundle("a"));
  expect(await store.bundles.get(id32("b"))).toBeUndefined();
});

it("keeps the first bundle of an attestation id", async () => {
  await store.bundles.put(bundle("a"));
  await store.bundles.put({ ...bundle("a"), bytes: new Uint8Array([1]) });
  expect(await store.bundles.get(id32("a"))).toEqual(bundle("a"));
});

it("forgets the bundles that ended before an instant, and only those", async () => {
  await store.bundles.put(bundle("old", 1_999));
  await store.bundles.put(bundle("new", 2_000));
  expect(await store.bundles.prune(2_000)).toBe(1);
  expect(await store.bundles.get(id32("old"))).toBeUndefined();
  expect(await store.bundles.get(id32("new"))).toEqual(bundle("new"));
});

it("does not open a file of a newer schema, and leaves it as it is", async () => {
  await store.close();
  const file = new DatabaseSync(join(dataDir, storeFile));
  file.exec("PRAGMA user_version = 99");
  expect(() => openStore({ dataDir })).toThrow(/schema 99/);
  expect(file.prepare("PRAGMA user_version").get()).toEqual({ user_version: 99 });
  file.exec(`PRAGMA user_version = ${storeMigrations.length}`);
  file.close();
  store = openStore({ dataDir });
});

it("makes a machine of every node that was paired before there were machines", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bombyx-store-"));
  const old = openSqlite(join(folder, storeFile), storeMigrations.slice(0, 1));
  const node = id32("node");
  old.prepare("INSERT INTO nodes VALUES (?, ?, 'unset', 'person:1:2', 1000)").run(node, id32("link"));
  old.close();
  const migrated = openStore({ dataDir: folder });
  expect(await migrated.db.selectFrom("machines").selectAll().execute()).toMatchObject([
    { owner: "person:1:2", node, registered_at: 1_000n, gpu: null },
  ]);
  await migrated.close();
  rmSync(folder, { recursive: true });
});
