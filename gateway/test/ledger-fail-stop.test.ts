import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, it } from "vitest";

/** In the ledger's thread, the disk takes nothing more. */
const failingDisk = `data:text/javascript,${encodeURIComponent(`
  import fs from "node:fs";
  import { syncBuiltinESMExports } from "node:module";
  import { isMainThread } from "node:worker_threads";
  if (!isMainThread) {
    const eio = Object.assign(new Error("EIO: i/o error, fdatasync"), { code: "EIO" });
    fs.fdatasync = (_, done) => setImmediate(done, eio);
    syncBuiltinESMExports();
  }
`)}`;

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "bombyx-disk-"));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

async function serve(...flags: string[]) {
  const gateway = spawn(
    process.execPath,
    ["-C", "bombyx-source", ...flags, join(import.meta.dirname, "../src/cli.ts"), "serve", "--json"],
    {
      env: {
        ...process.env,
        BOMBYX_PORT: "0",
        BOMBYX_METRICS_PORT: "0",
        BOMBYX_DATA_DIR: dataDir,
        BOMBYX_CHAIN_ENDPOINTS: "http://127.0.0.1:9/a,http://127.0.0.1:9/b",
        // Every second the ledger is asked for what waits for the disk.
        BOMBYX_LOST_GRACE_MS: "1000",
      },
    },
  );
  const log = text(gateway.stderr);
  const [line] = await once(gateway.stdout, "data");
  const { url } = JSON.parse(String(line));
  return { gateway, log, url: url as string };
}

it("ends the process, and says why, when the disk does not take a commit of the ledger", async () => {
  const { gateway, log } = await serve("--import", failingDisk);
  expect(await once(gateway, "exit")).toEqual([1, null]);
  const lines = (await log).split("\n").filter((one) => one.startsWith("{"));
  expect(lines.map((one) => JSON.parse(one)).at(-1)).toMatchObject({ level: 60, code: "LEDGER_FAILED" });
});

it("serves on, and ends when it is told to, with a disk that does", async () => {
  const { gateway, log, url } = await serve();
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  gateway.kill("SIGTERM");
  expect(await once(gateway, "exit")).toEqual([0, null]);
  expect(await log).not.toContain("LEDGER_FAILED");
});
