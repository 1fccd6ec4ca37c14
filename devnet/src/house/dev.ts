import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, watch } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import "../processes/leash.ts";

/**
 * `npm run dev`: the network of `npm start`, started again after a change to any room's source. Node's own
 * `--watch` sees only the files of one process, and a network is several.
 */
const root = fileURLToPath(new URL("../../..", import.meta.url));
const rooms = ["protocol", "gateway", "node-agent", "sdk", "bot", "miniapp", "devnet"];
/** An editor saves in several steps. */
const settleMs = 200;

const start = (): ChildProcess =>
  spawn(
    process.execPath,
    ["-C", "bombyx-source", join(root, "devnet/src/main.ts"), ...process.argv.slice(2)],
    // The channel tells the network when this process is gone, however it went.
    { stdio: ["inherit", "inherit", "inherit", "ipc"] },
  );

let network = start();
let timer: NodeJS.Timeout | undefined;
let restarting = false;
let ending = false;

async function stop(): Promise<void> {
  if (network.exitCode !== null || network.signalCode !== null) return;
  const ended = once(network, "exit");
  network.kill("SIGINT");
  await ended;
}

async function restart(file: string): Promise<void> {
  if (restarting) return;
  restarting = true;
  try {
    process.stderr.write(`\n${file} changed: starting again\n`);
    await stop();
    if (!ending) network = start();
  } finally {
    restarting = false;
  }
}

for (const room of rooms) {
  const source = join(root, room, "src");
  if (!existsSync(source)) continue;
  watch(source, { recursive: true }, (_event, name) => {
    if (name === null || !/\.(tsx?|css|json|ftl|html|svg)$/.test(name) || /\.test\.tsx?$/.test(name)) return;
    clearTimeout(timer);
    timer = setTimeout(() => void restart(join(room, "src", name)), settleMs);
  });
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    ending = true;
    void stop().then(() => process.exit(0));
  });
}
