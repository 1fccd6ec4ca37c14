/** The file `name` beside the module `from`: TypeScript in the workspace, JavaScript when published. */
export const entryBeside = (from: string, name: string): URL =>
  new URL(`./${name}${from.endsWith(".ts") ? ".ts" : ".js"}`, from);

/** Flags of this process that a process of ours must share to find the same modules; no debugger, no loaders. */
export function moduleFlags(execArgv: readonly string[]): string[] {
  const flags: string[] = [];
  for (const [index, flag] of execArgv.entries()) {
    if (flag === "-C" || flag === "--conditions") flags.push("-C", execArgv[index + 1] ?? "");
    else if (flag.startsWith("--conditions=")) flags.push(flag);
  }
  return flags;
}
