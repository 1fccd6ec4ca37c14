import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { BombyxError } from "@bombyx/protocol/wire";
import { attestCommand, attestHelp } from "../attest/command.ts";
import { channelCommand, channelHelp } from "../payment/command.ts";
import { receiptCommand, receiptHelp } from "../receipt/command.ts";
import { type Policy, parsePolicy } from "../trust/policy.ts";
import { channelPayment } from "./channel-file.ts";
import { startProxy } from "./index.ts";

/** The part of `process` that the command uses. */
export interface Shell {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  once(event: "SIGINT" | "SIGTERM", listener: () => void): unknown;
}

const defaultPort = 11_711;

const help = `bombyx: private AI from nodes whose hardware this machine verifies

  bombyx proxy --gateway URL [--policy FILE] [--port N] [--channel FILE] [--allow-http] [--json]
      A local OpenAI-compatible endpoint. Point any OpenAI client at it.

      --gateway URL   the gateway to use; it relays ciphertext and is not trusted
      --policy FILE   what to trust instead of the strict policy: .json, or .js with a default export
      --port N        port on 127.0.0.1, 0 for any free one (default ${defaultPort})
      --channel FILE  pay by this channel; receipts are kept in FILE.receipts.jsonl
      --allow-http    take an http gateway on another machine: the network can read the API key
      --json          print one line of JSON when ready

  BOMBYX_API_KEY      the gateway's API key; callers of the proxy send the same one

${channelHelp}
${attestHelp}
${receiptHelp}`;

/** Runs the command until it is told to stop. @returns the exit code: 0, 1 (failed) or 2 (wrong usage). */
export async function runCli(args: readonly string[], shell: Shell): Promise<number> {
  if (args[0] === "attest") return attestCommand(args.slice(1), shell);
  if (args[0] === "receipt") return receiptCommand(args.slice(1), shell);
  if (args[0] === "channel") return channelCommand(args.slice(1), shell);
  let closePayment: () => Promise<void> | undefined = () => undefined;
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        gateway: { type: "string" },
        policy: { type: "string" },
        port: { type: "string" },
        channel: { type: "string" },
        "allow-http": { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help || positionals.length === 0) {
      shell.stdout.write(help);
      return values.help ? 0 : 2;
    }
    const [command, ...rest] = positionals;
    if (command !== "proxy" || rest.length > 0) throw usage(`"${positionals.join(" ")}" is not a command.`);
    if (!values.gateway) throw usage("--gateway URL is missing.");
    const apiKey = shell.env.BOMBYX_API_KEY;
    if (!apiKey) throw usage("BOMBYX_API_KEY is not set; it takes the gateway's API key.");
    const stopped = new Promise<void>((stop) => {
      shell.once("SIGINT", stop);
      shell.once("SIGTERM", stop);
    });
    const payment =
      values.channel === undefined ? undefined : await channelPayment(values.channel, shell.stderr);
    closePayment = () => payment?.close();
    const proxy = await startProxy({
      gateway: values.gateway,
      apiKey,
      port: readPort(values.port),
      allowHttp: values["allow-http"],
      ...(payment && { payment }),
      ...(values.policy !== undefined && { policy: await readPolicy(values.policy) }),
    });
    shell.stdout.write(
      values.json
        ? `${JSON.stringify({ ready: true, url: proxy.url })}\n`
        : `OpenAI-compatible endpoint at ${proxy.url} (key: BOMBYX_API_KEY). Ctrl-C stops it.\n`,
    );
    await stopped;
    await proxy.close();
    return 0;
  } catch (error) {
    shell.stderr.write(`bombyx: ${explain(error)}\n`);
    return isUsage(error) ? 2 : 1;
  } finally {
    await closePayment();
  }
}

const usage = (message: string): BombyxError =>
  new BombyxError("BAD_REQUEST", `${message} See bombyx --help.`, { field: "argv" });

const isUsage = (error: unknown): boolean =>
  (error instanceof BombyxError && error.code === "BAD_REQUEST") ||
  codeOf(error).startsWith("ERR_PARSE_ARGS");

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "";

function explain(error: unknown): string {
  if (codeOf(error) === "EADDRINUSE") return "the port is taken; choose another with --port, or 0 for any.";
  return error instanceof Error ? error.message : String(error);
}

function readPort(text: string | undefined): number {
  if (text === undefined) return defaultPort;
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw usage(`--port takes 0 to 65535, not ${text}.`);
  return port;
}

/** A policy is code or data of the user's own, named on the command line; nothing else can set it. */
async function readPolicy(file: string): Promise<Policy> {
  const path = resolve(file);
  if (!path.endsWith(".json")) {
    const module: { default?: unknown } = await import(pathToFileURL(path).href);
    return parsePolicy(module.default);
  }
  const text = await readFile(path, "utf8");
  try {
    return parsePolicy(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) throw usage(`--policy ${file} is not JSON: ${error.message}.`);
    throw error;
  }
}
