import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { base64, fromBase64, fromUtf8, toHex } from "@bombyx/protocol/wire";
import * as z from "zod";
import { GpuError } from "./error.ts";
import type { GpuEvidence } from "./evidence.ts";
import type { GpuEvidenceProvider } from "./provider.ts";

/** Of this machine's own image; the environment of whoever starts the node chooses no other tool. */
const toolPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const outputBytesMax = 1024 * 1024;
const gpusMax = 16;

export interface NvidiaProviderOptions {
  /** Folders with nvidia-smi and nvattest. @default those of the system */
  readonly path?: string;
  /** There when a driver is loaded. @default /proc/driver/nvidia/version */
  readonly driver?: string;
  /** Of one command. @default 60 s: eight GPUs answer one after the other */
  readonly timeoutMs?: number;
}

/** `nvidia-smi conf-compute -f` says that confidential mode is on. */
export const saysConfidential = (answer: string): boolean => /\bstatus\s*:\s*ON\b/i.test(answer);
/** `nvidia-smi conf-compute -d` says that developer mode is off. */
export const saysDeveloperOff = (answer: string): boolean => /\bdevtools mode\s*:\s*OFF\b/i.test(answer);

/** `nvattest collect-evidence --format json` (NVIDIA Attestation SDK 1.0 and later); it may say more. */
const collectedSchema = z.object({
  result_code: z.literal(0),
  evidences: z.array(z.object({ evidence: base64, certificate: base64 })).max(gpusMax),
});

/**
 * This machine's NVIDIA GPUs by way of NVIDIA's own tools, which stand in the measured image. What they print of
 * evidence is judged by us; for mode and count of GPUs the driver is believed, which the image measures, too.
 */
export function nvidiaProvider(options: NvidiaProviderOptions = {}): GpuEvidenceProvider {
  const { path = toolPath, driver = "/proc/driver/nvidia/version", timeoutMs = 60_000 } = options;
  const run = (tool: string, args: readonly string[]) => runTool(tool, args, path, timeoutMs);
  return {
    async state() {
      if (!(await exists(driver))) return undefined;
      const list = await run("nvidia-smi", ["-L"]);
      return {
        count: [...list.matchAll(/^GPU \d+:/gm)].length,
        confidential: saysConfidential(await run("nvidia-smi", ["conf-compute", "-f"])),
        developer: !saysDeveloperOff(await run("nvidia-smi", ["conf-compute", "-d"])),
      };
    },
    async collect(nonce) {
      const args = [
        "collect-evidence",
        "--device",
        "gpu",
        "--format",
        "json",
        "--nonce",
        `0x${toHex(nonce)}`,
      ];
      return readEvidence(await run("nvattest", args));
    },
  };
}

function readEvidence(output: string): GpuEvidence[] {
  let value: unknown;
  try {
    value = JSON.parse(output);
  } catch (error) {
    throw unread("it printed no JSON", error);
  }
  const parsed = collectedSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw unread(`${issue?.path.join(".") || "the whole"}: ${issue?.message ?? "not valid"}`, parsed.error);
  }
  return parsed.data.evidences.map(({ evidence, certificate }) => ({
    report: fromBase64(evidence),
    chain: readPem(certificate),
  }));
}

/** Base64 of PEM blocks, one behind the other. */
function readPem(certificate: string): Uint8Array[] {
  try {
    const blocks = fromUtf8(fromBase64(certificate)).matchAll(
      /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----/g,
    );
    return [...blocks].map(([, body = ""]) => fromBase64(body.replaceAll(/\s/g, "")));
  } catch (error) {
    throw unread("its certificates are no PEM", error);
  }
}

const unread = (why: string, cause: unknown): GpuError =>
  new GpuError("GPU_TOOL_OUTPUT", `What nvattest collect-evidence says cannot be read: ${why}.`, cause);

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Without a shell and with nothing of our environment. */
function runTool(tool: string, args: readonly string[], path: string, timeoutMs: number): Promise<string> {
  const called = [tool, ...args.slice(0, 2)].join(" ");
  return new Promise((resolve, reject) => {
    execFile(
      tool,
      [...args],
      {
        env: { PATH: path, LC_ALL: "C" },
        timeout: timeoutMs,
        killSignal: "SIGKILL",
        maxBuffer: outputBytesMax,
        windowsHide: true,
      },
      (error, stdout) => {
        if (error === null) resolve(stdout);
        else reject(explained(error, called, timeoutMs));
      },
    );
  });
}

function explained(
  error: Error & { code?: unknown; killed?: boolean },
  called: string,
  timeoutMs: number,
): GpuError {
  if (error.code === "ENOENT") {
    return new GpuError(
      "GPU_TOOL_MISSING",
      `"${called}" is not there; install NVIDIA's attestation tools.`,
      error,
    );
  }
  if (error.code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") {
    return new GpuError("GPU_TOOL_OUTPUT", `"${called}" printed more than ${outputBytesMax} bytes.`, error);
  }
  if (error.killed === true) {
    return new GpuError("GPU_TOOL_TIMEOUT", `"${called}" did not end within ${timeoutMs} ms.`, error);
  }
  return new GpuError(
    "GPU_TOOL_FAILED",
    `"${called}" ended with ${String(error.code ?? "a signal")}.`,
    error,
  );
}
