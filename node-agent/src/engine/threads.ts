import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

/** Below this a model is a toy: it runs on one thread and needs help to end its JSON. */
export const smallModelBytes = 200 * 1024 * 1024;

/**
 * Threads for one engine process. llama.cpp's threads spin while they wait for each other: too many on
 * busy cores stall a small model for seconds, so the library's own default is never used.
 */
export function engineThreads(modelBytes: number, cores: number, engineProcesses: number): number {
  if (modelBytes < smallModelBytes) return 1;
  return Math.max(1, Math.floor(cores / Math.max(1, engineProcesses)) - 1);
}

/** Physical cores that this process may use: hyper-threads share one core's arithmetic units. */
export function physicalCores(): number {
  const usable = availableParallelism();
  try {
    const cores = new Set<string>();
    let package_ = "";
    for (const line of readFileSync("/proc/cpuinfo", "utf8").split("\n")) {
      const [key, value] = line.split(":").map((part) => part.trim());
      if (key === "physical id") package_ = value ?? "";
      if (key === "core id") cores.add(`${package_}/${value}`);
    }
    return cores.size > 0 ? Math.min(cores.size, usable) : usable;
  } catch {
    return usable;
  }
}
