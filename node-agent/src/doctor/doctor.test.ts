import { expect, it } from "vitest";
import type { Machine } from "./checks.ts";
import { doctorCommand } from "./command.ts";

/** A TD with a confidential GPU that lacks nothing. */
const healthy: Machine = {
  platform: "linux",
  kernel: "6.8.0-45-generic",
  read: async (path) =>
    ({
      "/proc/cpuinfo": "processor\t: 0\nflags\t\t: fpu vme tdx_guest avx512f\n",
      "/proc/mounts": "configfs /sys/kernel/config configfs rw 0 0\ntmpfs /dev/shm tmpfs rw 0 0\n",
      "/proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.124.06\n",
    })[path],
  isFolder: async () => true,
  isWritable: async () => true,
  run: async (_command, args) => (args.includes("-f") ? "CC status: ON\n" : "DevTools Mode: OFF\n"),
  quote: async () => {},
  reaches: async () => true,
};

async function doctor(change: Partial<Machine> = {}, ...argv: string[]) {
  let out = "";
  let error = "";
  const code = await doctorCommand(
    ["--json", ...argv],
    { write: (text: string) => (out += text) },
    { write: (text: string) => (error += text) },
    { ...healthy, ...change },
    async () => undefined,
  );
  const answer = out.startsWith("{") ? JSON.parse(out) : { findings: [] };
  const lacking: { what: string; fix: string }[] = answer.findings.filter(
    ({ state }: { state: string }) => state === "missing",
  );
  return { code, out, error, answer, lacking };
}

it("finds nothing to mend on a machine that is ready", async () => {
  const { code, answer } = await doctor();
  expect(code).toBe(0);
  expect(answer.ready).toBe(true);
  expect(answer.findings).toHaveLength(11);
});

const without = (path: string, text?: string): Partial<Machine> => ({
  read: async (asked) => (asked === path ? text : healthy.read(asked)),
});
const cases: [string, Partial<Machine>, string][] = [
  ["Linux 6.7 or newer", { kernel: "6.6.32" }, "kernel"],
  ["Linux 6.7 or newer", { kernel: "5.15.0" }, "kernel"],
  ["Linux 6.7 or newer", { platform: "darwin", kernel: "24.1.0" }, "kernel"],
  ["TDX virtual machine", without("/proc/cpuinfo", "flags\t: fpu tdx_host_platform\n"), "tdx-guest"],
  ["configfs", without("/proc/mounts", "tmpfs /dev/shm tmpfs rw 0 0\n"), "mount -t configfs"],
  ["memory for weights", without("/proc/mounts", "configfs /sys/kernel/config configfs rw 0 0\n"), "tmpfs"],
  ["quotes by configfs-tsm", { isFolder: async () => false }, "modprobe tdx_guest"],
  ["quotes by configfs-tsm", { isWritable: async () => false }, "root"],
  ["a quote of this machine", { quote: () => Promise.reject(new Error("no quote within 30 s")) }, "qgsd"],
  ["Intel's documents", { reaches: async () => false }, "--pccs"],
  [
    "GPU confidential mode",
    { run: async (_, args) => (args.includes("-f") ? "CC status: OFF" : "DevTools Mode: OFF") },
    "set-cc-mode=on",
  ],
  [
    "GPU developer mode off",
    { run: async (_, args) => (args.includes("-f") ? "CC status: ON" : "DevTools Mode: ON") },
    "devtools",
  ],
];
it.each(cases)("names what is missing, %s, and how to mend it", async (what, change, fix) => {
  const { code, lacking } = await doctor(change);
  expect(code).toBe(1);
  expect(lacking.map((finding) => finding.what)).toEqual([what]);
  expect(lacking[0]?.fix).toContain(fix);
});

it("takes a machine without a GPU for ready: the CPU's memory is the virtual machine's own", async () => {
  const { code, answer } = await doctor(without("/proc/driver/nvidia/version"));
  expect(code).toBe(0);
  expect(answer.findings.at(-2)).toMatchObject({ what: "GPU", state: "absent" });
});

it("prints a page for a person, and refuses a flag that it does not know", async () => {
  let page = "";
  const write = (text: string) => (page += text);
  expect(await doctorCommand([], { write }, { write }, { ...healthy, reaches: async () => false })).toBe(1);
  expect(page).toMatch(/^ok +Linux 6\.7 or newer +6\.8\.0-45-generic$/m);
  expect(page).toMatch(/^MISSING +Intel's documents/m);
  expect(page).toMatch(/^ +→ let this machine reach it/m);
  expect(await doctorCommand(["--pcs"], { write }, { write }, healthy)).toBe(2);
});

it("tells the truth about the machine that it runs on", async () => {
  let out = "";
  const write = (text: string) => (out += text);
  const code = await doctorCommand(["--json", "--pccs", "http://127.0.0.1:9"], { write }, { write });
  const { ready, findings } = JSON.parse(out);
  expect(code).toBe(ready ? 0 : 1);
  expect(findings.find(({ what }: { what: string }) => what === "Intel's documents").state).toBe("missing");
});

it("says what the wallet for disputes holds and should hold", async () => {
  const seen = async (balanceGram: string | undefined, enough: boolean | undefined) => {
    let out = "";
    const write = (text: string) => (out += text);
    const purse = { address: "UQwallet", balanceGram, shouldHoldGram: "0.25", enough };
    const code = await doctorCommand([], { write }, { write }, healthy, async () => purse);
    return { code, out };
  };
  expect(await seen("0", false)).toEqual({
    code: 1,
    out: expect.stringMatching(
      /MISSING +wallet for disputes +UQwallet holds 0 GRAM\n +→ send 0\.25 GRAM to it/,
    ),
  });
  expect(await seen("0.3", true)).toEqual({
    code: 0,
    out: expect.stringMatching(/ok +wallet for disputes +UQwallet holds 0\.3 GRAM/),
  });
  expect(await seen(undefined, undefined)).toMatchObject({ code: 0 });
});
