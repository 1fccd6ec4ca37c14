import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rmdir } from "node:fs/promises";
import { join } from "node:path";
import type { Collateral } from "@bombyx/protocol/attestation";
import { BombyxError, limits } from "@bombyx/protocol/wire";
import { type Clock, systemClock } from "../clock.ts";
import type { QuoteProvider } from "./quote-provider.ts";

/** Where Linux ≥ 6.7 gives quotes (Documentation/ABI/testing/configfs-tsm-report). */
const reportDirectory = "/sys/kernel/config/tsm/report";
const reportDataBytes = 64;
/** Above this the kernel hands out a DICE token, which no verifier of ours reads. */
const diceBytes = 8 * 1024;
const quoteMs = 30_000;
/** The interface is taken or a signal came by: the same again is right. */
const transient: ReadonlySet<string> = new Set(["EBUSY", "EINTR", "EAGAIN"]);
const attemptsMax = 5;

/** The few file operations this needs, so that a test can stand in for the kernel. */
export interface ReportFiles {
  mkdir(path: string): Promise<void>;
  rmdir(path: string): Promise<void>;
  /** One write of exactly these bytes; the kernel reports errors at close. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  read(path: string): Promise<Uint8Array>;
}

const kernelFiles: ReportFiles = {
  mkdir: (path) => mkdir(path),
  rmdir: (path) => rmdir(path),
  read: async (path) => new Uint8Array(await readFile(path)),
  async write(path, bytes) {
    const file = await open(path, "w");
    try {
      const { bytesWritten } = await file.write(bytes);
      if (bytesWritten !== bytes.length)
        throw new Error(`the kernel took ${bytesWritten} of ${bytes.length} bytes`);
    } finally {
      await file.close();
    }
  },
};

export interface ConfigfsTsmOptions {
  readonly directory?: string;
  readonly files?: ReportFiles;
  readonly clock?: Pick<Clock, "after">;
}

/** Quotes of this machine's TDX module (PROTOCOL §4 "Real quotes"): one at a time. */
export function configfsTsmProvider(
  collateral: (quote: Uint8Array) => Promise<Collateral>,
  options: ConfigfsTsmOptions = {},
): QuoteProvider {
  const { directory = reportDirectory, files = kernelFiles, clock = systemClock } = options;
  let last: Promise<unknown> = Promise.resolve();
  return {
    collateral,
    quote(reportData) {
      const mine = last.then(() => quoteWithRetries(directory, files, reportData, clock));
      last = mine.catch(() => {});
      return mine;
    },
  };
}

async function quoteWithRetries(
  directory: string,
  files: ReportFiles,
  reportData: Uint8Array,
  clock: Pick<Clock, "after">,
): Promise<Uint8Array> {
  if (reportData.length !== reportDataBytes) throw new RangeError(`report data is ${reportDataBytes} bytes`);
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  const stopTimeout = clock.after(quoteMs, () =>
    reject(
      failed(`The TDX module gave no quote within ${quoteMs / 1_000} s; is the quoting service running?`),
    ),
  );
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        return await Promise.race([quoteOnce(directory, files, reportData), timeout]);
      } catch (error) {
        if (attempt >= attemptsMax || !transient.has(errorCode(error))) throw explained(error, directory);
      }
    }
  } finally {
    stopTimeout();
  }
}

async function quoteOnce(directory: string, files: ReportFiles, reportData: Uint8Array): Promise<Uint8Array> {
  const report = join(directory, `bombyx-${randomUUID()}`);
  await files.mkdir(report);
  try {
    const before = await generation(files, report);
    await files.write(join(report, "inblob"), reportData);
    const quote = await files.read(join(report, "outblob"));
    const provider = text(await files.read(join(report, "provider")));
    if (provider !== "tdx_guest") {
      throw failed(`This machine's reports come from "${provider}", not from a TDX module (tdx_guest).`);
    }
    if ((await generation(files, report)) !== before + 1n) {
      throw failed("Somebody else wrote to this report meanwhile; its quote was not used.");
    }
    if (quote.length > diceBytes) {
      throw failed(
        `The kernel gave ${quote.length} bytes, a report in DICE form; this version reads TDX quotes only.`,
      );
    }
    if (quote.length === 0 || quote.length > limits.quoteBytes)
      throw failed("The kernel gave an empty report.");
    return quote;
  } finally {
    await files.rmdir(report);
  }
}

/** Counts the writes to a report. */
const generation = async (files: ReportFiles, report: string): Promise<bigint> =>
  BigInt(text(await files.read(join(report, "generation"))));

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes).trim();

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

function explained(error: unknown, directory: string): BombyxError {
  if (error instanceof BombyxError) return error;
  const code = errorCode(error);
  const why: Record<string, string> = {
    ENOENT: `${directory} does not exist: this is no TDX virtual machine with Linux 6.7 or newer, or configfs is not mounted.`,
    ENXIO:
      "The kernel has no provider of reports: this is no TDX virtual machine, or its tdx_guest module is not loaded.",
    EACCES: `${directory} may not be written; run as root, or give this user the folder.`,
    EBUSY: "The TDX module stayed busy; try again.",
  };
  return failed(why[code] ?? `The kernel gave no quote (${code || "unknown error"}).`, error);
}

const failed = (message: string, cause?: unknown): BombyxError =>
  new BombyxError("NODE_FAILED", message, { cause });
