import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, readFile, stat } from "node:fs/promises";
import { release } from "node:os";
import { parseArgs, promisify } from "node:util";
import { parseQuote } from "@bombyx/protocol/attestation";
import { configfsTsmProvider } from "../quote/configfs-tsm.ts";
import type { Output } from "../screen.ts";
import { disputePurse } from "../settlement/dispute-purse.ts";
import {
  type DisputePurse,
  examineDisputes,
  examineGpu,
  examineTdx,
  type Finding,
  type Machine,
} from "./checks.ts";

const defaultPccs = "https://api.trustedservices.intel.com";
const commandMs = 15_000;

/** The machine that this process runs on. */
export const thisMachine: Machine = {
  platform: process.platform,
  kernel: release(),
  read: (path) => readFile(path, "utf8").catch(() => undefined),
  isFolder: async (path) => (await stat(path).catch(() => undefined))?.isDirectory() === true,
  isWritable: (path) =>
    access(path, constants.W_OK).then(
      () => true,
      () => false,
    ),
  run: (command, args) =>
    promisify(execFile)(command, [...args], { timeout: commandMs }).then(
      ({ stdout }) => stdout,
      () => undefined,
    ),
  async quote() {
    const provider = configfsTsmProvider(() => Promise.reject(new Error("not asked for here")));
    parseQuote(new Uint8Array(await provider.quote(new Uint8Array(64))));
  },
  reaches: (url) =>
    fetch(url, { method: "HEAD", signal: AbortSignal.timeout(commandMs) }).then(
      () => true,
      () => false,
    ),
};

export const doctorHelp = `bombyx-node doctor [--pccs URL] [--state FOLDER] [--chain-endpoints URL,URL] [--json]

Says line by line what this machine lacks to serve as a real TDX node, and what to do about it.
`;

/** Where the doctor looks for the wallet for disputes. */
export type FindPurse = (
  state: string | undefined,
  endpoints: string | undefined,
) => Promise<DisputePurse | undefined>;

/** `bombyx-node doctor`. @returns 0 when nothing is missing, 1 when something is, 2 on wrong usage */
export async function doctorCommand(
  argv: readonly string[],
  stdout: Output,
  stderr: Output,
  machine: Machine = thisMachine,
  findPurse: FindPurse = disputePurse,
): Promise<number> {
  let values: {
    pccs?: string | undefined;
    state?: string | undefined;
    "chain-endpoints"?: string | undefined;
    json?: boolean | undefined;
    help?: boolean | undefined;
  };
  try {
    ({ values } = parseArgs({
      args: [...argv],
      options: {
        pccs: { type: "string" },
        state: { type: "string" },
        "chain-endpoints": { type: "string" },
        json: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    }));
  } catch (error) {
    stderr.write(`bombyx-node doctor: ${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
  if (values.help) {
    stdout.write(doctorHelp);
    return 0;
  }
  const findings = [
    ...(await examineTdx(machine, values.pccs ?? defaultPccs)),
    ...(await examineGpu(machine)),
    examineDisputes(await findPurse(values.state, values["chain-endpoints"])),
  ];
  const ready = findings.every(({ state }) => state !== "missing");
  if (values.json) stdout.write(`${JSON.stringify({ ready, findings })}\n`);
  else stdout.write(page(findings, ready));
  return ready ? 0 : 1;
}

function page(findings: readonly Finding[], ready: boolean): string {
  const mark = { ok: "ok", missing: "MISSING", absent: "-" };
  const width = Math.max(...findings.map(({ what }) => what.length));
  const lines = findings.flatMap(({ what, state, found, fix }) => [
    `${mark[state].padEnd(8)} ${what.padEnd(width)}  ${found}`,
    ...(fix === undefined ? [] : [`${" ".repeat(width + 11)}→ ${fix}`]),
  ]);
  const last = ready
    ? "This machine is ready."
    : "This machine is not ready; the lines with an arrow say what to do.";
  return `${[...lines, "", last].join("\n")}\n`;
}
