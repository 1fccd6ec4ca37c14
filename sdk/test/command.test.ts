import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { TestWorld } from "./stand-in/world.ts";

const entry = fileURLToPath(new URL("../src/cli.ts", import.meta.url));
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** Runs the command as a person does; `env` replaces the environment but for PATH. */
function bombyx(args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, ["-C", "bombyx-source", entry, ...args], {
    env: { PATH: process.env.PATH ?? "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  cleanups.push(() => child.kill("SIGKILL"));
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, stdout, stderr }));
  return { child, ended };
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "bombyx-command-"));
  cleanups.push(() => rm(path, { recursive: true }));
  return path;
}

const key = { BOMBYX_API_KEY: "bx-test-key" };

test("bombyx --help says what there is", async () => {
  const { code, stdout } = await bombyx(["--help"]).ended;
  expect(code).toBe(0);
  expect(stdout).toContain("bombyx proxy --gateway URL");
  expect(stdout).toContain("BOMBYX_API_KEY");
});

test.for([
  [["proxy"], key, "--gateway URL is missing"],
  [["proxy", "--gateway", "https://gateway.example"], {}, "BOMBYX_API_KEY is not set"],
  [["proxy", "--gateway", "ftp://gateway.example"], key, "gateway must be an http(s) URL"],
  [["proxy", "--gateway", "http://gateway.example"], key, "over http everybody on the way reads the API key"],
  [["proxy", "--gateway", "https://gateway.example", "--port", "x"], key, "--port takes 0 to 65535, not x"],
  [["proxy", "--gateway", "https://gateway.example", "--key", "secret"], key, "Unknown option '--key'"],
  [["mine"], key, '"mine" is not a command'],
] as const)("bombyx %j is refused in words", async ([args, env, message]) => {
  const { code, stderr, stdout } = await bombyx([...args], env).ended;
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(message);
});

test("a policy file with a fault is refused by the field's name; a good one serves, as .json and as .js", async () => {
  const path = await folder();
  const policy = (await TestWorld.create()).policy();
  await writeFile(join(path, "bad.json"), JSON.stringify({ ...policy, minOwner: 2 }));
  await writeFile(join(path, "good.json"), JSON.stringify(policy));
  await writeFile(join(path, "good.mjs"), `export default ${JSON.stringify(policy)};\n`);
  const proxy = (file: string) =>
    bombyx(
      ["proxy", "--gateway", "http://127.0.0.1:9", "--port", "0", "--json", "--policy", join(path, file)],
      key,
    );
  const refused = await proxy("bad.json").ended;
  expect([refused.code, refused.stdout]).toEqual([2, ""]);
  expect(refused.stderr).toContain("minOwner");
  for (const file of ["good.json", "good.mjs"]) {
    const { child, ended } = proxy(file);
    const [line] = (await once(child.stdout, "data")) as [string];
    const { ready, url } = JSON.parse(line) as { ready: boolean; url: string };
    expect(ready).toBe(true);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1$/);
    expect((await fetch(`${url}/models`)).status).toBe(401);
    child.kill("SIGTERM");
    expect((await ended).code).toBe(0);
  }
});

test("a taken port is refused with the way out", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => server.close());
  const address = server.address();
  const port = typeof address === "object" && address ? String(address.port) : "";
  const { code, stderr } = await bombyx(["proxy", "--gateway", "http://127.0.0.1:9", "--port", port], key)
    .ended;
  expect(code).toBe(1);
  expect(stderr).toContain("choose another with --port");
});

test("bombyx receipt verify judges a file, and says what is wrong with what is none", async () => {
  const file = join(await folder(), "receipt.json");
  await writeFile(file, JSON.stringify({ v: 1 }));
  const { code, stdout } = await bombyx(["receipt", "verify", file]).ended;
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ ok: false, code: "RECEIPT_INVALID", check: "format" });
  const wrong = await bombyx(["receipt"]).ended;
  expect([wrong.code, JSON.parse(wrong.stdout).code]).toEqual([2, "USAGE"]);
});
