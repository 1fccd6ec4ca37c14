import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { repositoryRoot } from "../src/config.ts";

/** The owner's terminal: the very line that the page shows, in the folder of the project. */
export class Terminal implements AsyncDisposable {
  readonly #root: string;
  readonly #children: ChildProcess[] = [];

  /** @param root folder of the network that runs */
  constructor(root: string) {
    this.#root = root;
  }

  run(line: string): { printed: () => string; exit: Promise<number | null> } {
    const child = spawn("sh", ["-c", line], {
      cwd: repositoryRoot,
      env: { ...process.env, DEVNET_DIR: this.#root },
      // npm starts a shell that starts node: a group of their own ends as one.
      detached: true,
    });
    this.#children.push(child);
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (text += chunk));
    return { printed: () => text, exit: once(child, "close").then(([code]) => code as number | null) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.pid === undefined) continue;
      process.kill(-child.pid, "SIGKILL");
      await once(child, "close");
    }
  }
}
