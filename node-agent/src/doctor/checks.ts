import { saysConfidential, saysDeveloperOff } from "../gpu/nvidia-provider.ts";

/** What the checks ask of a machine; a test stands in for it. */
export interface Machine {
  readonly platform: string;
  /** Of the kernel, as uname has it: "6.8.0-45-generic". */
  readonly kernel: string;
  /** Contents of a file, or undefined when it cannot be read. */
  read(path: string): Promise<string | undefined>;
  isFolder(path: string): Promise<boolean>;
  isWritable(path: string): Promise<boolean>;
  /** Standard output of a command that ended well, else undefined. */
  run(command: string, args: readonly string[]): Promise<string | undefined>;
  /** A quote over 64 zero bytes by way of the kernel, parsed. @throws what the provider says. */
  quote(): Promise<void>;
  /** Whether Intel's service or its cache answers. */
  reaches(url: string): Promise<boolean>;
}

/** One line of the doctor's answer. */
export interface Finding {
  readonly what: string;
  /** `absent` for a part that this machine need not have. */
  readonly state: "ok" | "missing" | "absent";
  readonly found: string;
  /** What to do, when it is missing. */
  readonly fix?: string;
}

const configfs = "/sys/kernel/config";
const reports = `${configfs}/tsm/report`;

/** Whether a real TDX machine stands ready, line by line, in the order in which one thing needs the other. */
export async function examineTdx(machine: Machine, pccs: string): Promise<Finding[]> {
  return [
    linux(machine),
    await tdxGuest(machine),
    await configfsMounted(machine),
    await reportFolder(machine),
    await realQuote(machine),
    await collateralService(machine, pccs),
    await memoryFileSystem(machine),
  ];
}

const ok = (what: string, found: string): Finding => ({ what, state: "ok", found });
const missing = (what: string, found: string, fix: string): Finding => ({
  what,
  state: "missing",
  found,
  fix,
});

function linux({ platform, kernel }: Machine): Finding {
  const what = "Linux 6.7 or newer";
  const [major = 0, minor = 0] = kernel.split(".").map((part) => Number.parseInt(part, 10));
  if (platform === "linux" && (major > 6 || (major === 6 && minor >= 7))) return ok(what, kernel);
  return missing(what, `${platform} ${kernel}`, "boot the virtual machine with a kernel of 6.7 or later");
}

async function tdxGuest(machine: Machine): Promise<Finding> {
  const what = "TDX virtual machine";
  const flags = (await machine.read("/proc/cpuinfo"))?.match(/^flags\s*:(.*)$/m)?.[1] ?? "";
  if (/\btdx_guest\b/.test(flags)) return ok(what, "the CPU has the flag tdx_guest");
  return missing(
    what,
    "the CPU has no flag tdx_guest",
    "start the machine as a TD: on the host QEMU with -object tdx-guest and a CPU with TDX enabled in its BIOS",
  );
}

async function configfsMounted(machine: Machine): Promise<Finding> {
  const what = "configfs";
  const mounts = (await machine.read("/proc/mounts")) ?? "";
  if (mounts.split("\n").some((line) => line.split(" ")[1] === configfs))
    return ok(what, `mounted at ${configfs}`);
  return missing(what, "not mounted", `mount -t configfs none ${configfs}`);
}

async function reportFolder(machine: Machine): Promise<Finding> {
  const what = "quotes by configfs-tsm";
  if (!(await machine.isFolder(reports)))
    return missing(what, `${reports} does not exist`, "modprobe tdx_guest (CONFIG_TDX_GUEST_DRIVER)");
  if (await machine.isWritable(reports)) return ok(what, reports);
  return missing(what, `${reports} may not be written`, `run as root, or chown the folder to this user`);
}

async function realQuote(machine: Machine): Promise<Finding> {
  const what = "a quote of this machine";
  try {
    await machine.quote();
    return ok(what, "made, and read as clients read it");
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    return missing(
      what,
      found,
      "on the host start Intel's quote generation service (qgsd) and give QEMU its socket (quote-generation-socket)",
    );
  }
}

async function collateralService(machine: Machine, pccs: string): Promise<Finding> {
  const what = "Intel's documents";
  if (await machine.reaches(pccs)) return ok(what, pccs);
  return missing(
    what,
    `${pccs} does not answer`,
    "let this machine reach it, or name a PCCS of your own with --pccs URL",
  );
}

async function memoryFileSystem(machine: Machine): Promise<Finding> {
  const what = "memory for weights";
  const mounts = (await machine.read("/proc/mounts")) ?? "";
  const isMemory = mounts.split("\n").some((line) => /^\S+ \/dev\/shm tmpfs /.test(line));
  if (isMemory) return ok(what, "/dev/shm is in the virtual machine's own memory");
  return missing(
    what,
    "/dev/shm is no tmpfs",
    "mount -t tmpfs tmpfs /dev/shm, as large as the model and 256 MB",
  );
}

/** Whether a GPU is there, and whether it keeps its memory from the host. */
export async function examineGpu(machine: Machine): Promise<Finding[]> {
  const driver = await machine.read("/proc/driver/nvidia/version");
  if (driver === undefined) {
    const found = "no NVIDIA driver: the model runs on the CPU, inside the virtual machine's memory";
    return [{ what: "GPU", state: "absent", found }];
  }
  const version = driver.match(/\b(\d+\.\d+(?:\.\d+)?)\b/)?.[1] ?? "of unknown version";
  return [
    ok("GPU", `NVIDIA driver ${version}`),
    await confidentialMode(machine),
    await developerMode(machine),
  ];
}

async function confidentialMode(machine: Machine): Promise<Finding> {
  const what = "GPU confidential mode";
  const answer = await machine.run("nvidia-smi", ["conf-compute", "-f"]);
  if (answer !== undefined && saysConfidential(answer)) return ok(what, "on");
  return missing(
    what,
    answer === undefined
      ? "nvidia-smi conf-compute does not answer"
      : "off: the host can read the GPU's memory",
    "on the host: nvidia_gpu_tools.py --set-cc-mode=on --reset-after-cc-mode-switch (H100, H200, B200 only)",
  );
}

async function developerMode(machine: Machine): Promise<Finding> {
  const what = "GPU developer mode off";
  const answer = await machine.run("nvidia-smi", ["conf-compute", "-d"]);
  if (answer !== undefined && saysDeveloperOff(answer)) return ok(what, "off");
  return missing(
    what,
    answer === undefined
      ? "nvidia-smi conf-compute does not answer"
      : "on: profilers on the host can look inside",
    "on the host: nvidia_gpu_tools.py --set-cc-mode=on (not devtools) --reset-after-cc-mode-switch",
  );
}

/** The wallet that a node disputes from, as far as it is known. */
export interface DisputePurse {
  /** Friendly. */
  readonly address: string;
  readonly balanceGram: string | undefined;
  readonly shouldHoldGram: string;
  readonly enough: boolean | undefined;
}

/** Whether a node could dispute a root that takes its earnings away. @param purse undefined: nothing is paid on chain yet */
export function examineDisputes(purse: DisputePurse | undefined): Finding {
  const what = "wallet for disputes";
  if (purse === undefined) {
    const found = "not needed yet: no node of this --state folder is paid on chain";
    return { what, state: "absent", found };
  }
  const { address, balanceGram, shouldHoldGram, enough } = purse;
  if (enough === undefined) {
    const found = `${address}; give --chain-endpoints URL,URL to see what it holds`;
    return { what, state: "absent", found };
  }
  const found = `${address} holds ${balanceGram} GRAM`;
  if (enough) return ok(what, found);
  return missing(
    what,
    found,
    `send ${shouldHoldGram} GRAM to it: without it nobody stops a root that takes your earnings away`,
  );
}
