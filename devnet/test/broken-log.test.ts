import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";

const running: ReturnType<typeof spawn>[] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill("SIGKILL");
});

const root = fileURLToPath(new URL("../../", import.meta.url));
const logs = {
  "the gateway": `const { createLog } = await import("./gateway/src/log.ts"); const log = createLog("info");`,
  "the bot": `const { createLog } = await import("./bot/src/log.ts"); const log = createLog("info");`,
  "a node": `const { nodeLog, standardError } = await import("./node-agent/src/log.ts");
    const log = { ...nodeLog(standardError()), fatal: () => undefined };`,
};

/** Says a word on stderr, then waits for a message, says more, and ends. */
async function speaker(code: string) {
  const child = spawn(
    process.execPath,
    [
      "-C",
      "bombyx-source",
      "--input-type=module",
      "-e",
      `${code} log.info("first"); process.once("message", () => {
        for (let n = 0; n < 50; n++) log.info("more");
        log.fatal("last");
        process.exit(7);
      });`,
    ],
    { cwd: root, stdio: ["ignore", "ignore", "pipe", "ipc"] },
  );
  running.push(child);
  const { stderr } = child;
  if (!stderr) throw new Error("the child has no stderr");
  const [first] = await once(stderr, "data");
  expect(String(first)).toContain("first");
  return { child, stderr };
}

describe.each(Object.entries(logs))("the log of %s", (_, code) => {
  it("is written to its last line", async () => {
    const { child, stderr } = await speaker(code);
    let text = "";
    stderr.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.send("go on");
    await once(child, "close");
    expect([text.match(/more/g)?.length, child.exitCode]).toEqual([50, 7]);
  });

  it("holds nobody up when its reader is gone", async () => {
    const { child, stderr } = await speaker(code);
    stderr.destroy();
    await once(stderr, "close");
    child.send("go on");
    await once(child, "exit");
    expect(child.exitCode).toBe(7);
  });
});
