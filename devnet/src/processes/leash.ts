import { isMainThread } from "node:worker_threads";

/**
 * Loaded into every process of a devnet before its own entry: when the process that started it is gone,
 * however it went, this one ends as well. Nobody is left behind by a `kill -9`.
 */
const graceMs = 3_000;
const lookMs = 250;

const end = () => {
  setTimeout(() => process.exit(1), graceMs).unref();
  process.kill(process.pid, "SIGTERM");
};

if (isMainThread) {
  if (process.channel) {
    process.once("disconnect", end);
    process.channel.unref();
  } else if (process.env.npm_lifecycle_event !== undefined) {
    // npm gives its scripts no channel; one that lost npm has another parent.
    const { ppid } = process;
    const look = setInterval(() => {
      if (process.ppid === ppid) return;
      clearInterval(look);
      end();
    }, lookMs);
    look.unref();
  }
}
