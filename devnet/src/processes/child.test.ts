import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { type Child, startChild } from "./child.ts";
import { childEnvironment } from "./child-environment.ts";

let directory: string;
let child: Child | undefined;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "bombyx-child-"));
});
afterEach(async () => {
  await child?.stop(0);
  child = undefined;
  await rm(directory, { recursive: true, force: true });
});

const readySchema = z.object({ ready: z.literal(true), value: z.string() });

async function program(source: string, environment: Record<string, string> = {}) {
  const entry = join(directory, "program.mjs");
  await writeFile(entry, source);
  return {
    name: "The program",
    entry: pathToFileURL(entry),
    args: [],
    environment,
    logFile: join(directory, "program.log"),
    ready: readySchema,
  };
}

describe("a process of the network", () => {
  it("is ready at its own JSON line, whatever else it says before", async () => {
    const started = startChild(
      await program(`
        console.log("loading");
        console.log(JSON.stringify({ level: "info" }));
        console.log(JSON.stringify({ ready: true, value: "here" }));
        setInterval(() => {}, 1000);`),
    );
    child = started.child;
    expect(await started.ready).toEqual({ ready: true, value: "here" });
    await child.stop(5_000);
    expect(await child.exited).toEqual({ code: null, signal: "SIGTERM" });
    expect(await readFile(child.logFile, "utf8")).toContain("loading");
  });

  it("that ends before it is ready shows its own last words", async () => {
    const started = startChild(await program(`console.error("no such model: a.gguf"); process.exit(3);`));
    child = started.child;
    await expect(started.ready).rejects.toThrow(
      /exit code 3[\s\S]*no such model: a\.gguf[\s\S]*program\.log/,
    );
  });

  it("is killed when it does not mind SIGTERM", async () => {
    const started = startChild(
      await program(`
        process.on("SIGTERM", () => {});
        console.log(JSON.stringify({ ready: true, value: "" }));
        setInterval(() => {}, 1000);`),
    );
    child = started.child;
    await started.ready;
    await child.stop(50);
    expect(await child.exited).toEqual({ code: null, signal: "SIGKILL" });
  });

  it("ends by itself when the process that started it is gone", async () => {
    const grandchild = await program(`
      console.log(JSON.stringify({ ready: true, value: String(process.pid) }));
      setInterval(() => {}, 1000);`);
    const parent = join(directory, "parent.mjs");
    await writeFile(
      parent,
      `import { startChild } from ${JSON.stringify(new URL("./child.ts", import.meta.url).href)};
       const { ready } = startChild({ name: "x", entry: new URL(${JSON.stringify(grandchild.entry.href)}), args: [],
         environment: {}, logFile: ${JSON.stringify(join(directory, "grandchild.log"))},
         ready: { safeParse: (data) => ({ success: data?.ready === true, data }) } });
       console.log(JSON.stringify(await ready));
       setInterval(() => {}, 1000);`,
    );
    const started = startChild({ ...grandchild, entry: pathToFileURL(parent) });
    child = started.child;
    const pid = Number((await started.ready).value);
    expect(isAlive(pid)).toBe(true);
    child.kill("SIGKILL");
    await expect.poll(() => isAlive(pid), { timeout: 5_000 }).toBe(false);
  });

  it("gets no variable of its parent but the few that programs need", async () => {
    const started = startChild(
      await program(`console.log(JSON.stringify({ ready: true, value: JSON.stringify(process.env) }));`, {
        BOMBYX_OWN: "own",
      }),
    );
    child = started.child;
    const environment = JSON.parse((await started.ready).value);
    expect(environment).toHaveProperty("BOMBYX_OWN", "own");
    expect(environment).toHaveProperty("PATH");
    // vitest sets this one in every worker: it shows that there was something to hold back
    expect(process.env).toHaveProperty("VITEST");
    expect(environment).not.toHaveProperty("VITEST");
  });
});

it("hands down home and path, and holds back a key", () => {
  expect(childEnvironment({ A: "1" }, { PATH: "/bin", HOME: "/h", OPENAI_API_KEY: "secret" })).toEqual({
    A: "1",
    PATH: "/bin",
    HOME: "/h",
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
