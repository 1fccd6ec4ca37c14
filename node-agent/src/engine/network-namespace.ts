import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);
const command = ["/usr/bin/unshare", "--user", "--map-current-user", "--net", "--"] as const;

let probed: Promise<readonly string[] | undefined> | undefined;

/**
 * The words in front of a command that give it a network namespace of its own, with no interface in it;
 * undefined where the system has none (not Linux, or a container that forbids it), then only the
 * image's own rules keep the engine off the network.
 */
export function withoutNetwork(): Promise<readonly string[] | undefined> {
  probed ??= run(command[0], [...command.slice(1), "/bin/true"], { env: {}, timeout: 5_000 }).then(
    () => command,
    () => undefined,
  );
  return probed;
}
