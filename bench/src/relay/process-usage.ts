import { readFileSync } from "node:fs";

const ticksPerSecond = 100;

/** CPU that a process used so far, user and system, µs; threads included (proc(5), fields 14 and 15). */
export function cpuUs(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return (ticks * 1_000_000) / ticksPerSecond;
}

/** Resident memory, bytes. */
export function residentBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(match?.[1] ?? 0) * 1_024;
}

/** What a core has done so far, in ticks; guests' and waiting time are part of neither (proc(5), /proc/stat). */
export interface CoreTicks {
  readonly busy: number;
  readonly all: number;
}

export function coreTicks(core: string): CoreTicks {
  const line = new RegExp(`^cpu${core} (.*)$`, "m").exec(readFileSync("/proc/stat", "utf8"))?.[1] ?? "";
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0] = line
    .split(" ")
    .map(Number);
  const busy = user + nice + system + irq + softirq;
  return { busy, all: busy + idle + iowait };
}

/** The share of a core that was used between two readings, 0 to 1. */
export const busyShare = (before: CoreTicks, after: CoreTicks): number =>
  (after.busy - before.busy) / Math.max(1, after.all - before.all);
