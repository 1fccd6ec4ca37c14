import type { IncomingMessage, ServerResponse } from "node:http";
import { Address } from "@ton/core";
import * as z from "zod";
import { refusal } from "../../web/local-guard.ts";
import { startLocalServer } from "../../web/local-server.ts";
import { pageHeaders } from "../../web/page-headers.ts";
import { eventStream, json } from "../../web/respond.ts";
import { sendFile } from "../../web/static-files.ts";
import type { Explorer } from "./explorer.ts";

export interface ExplorerHost extends AsyncDisposable {
  readonly url: string;
}

const headers = pageHeaders({});
const largestCommand = 4_096;
const faucetAtMost = 1_000_000_000_000_000n;
const skipAtMostMs = 400 * 86_400_000;

const faucetCommand = z.strictObject({
  address: z.string().max(128),
  /** Nano. */
  nano: z.string().regex(/^[1-9][0-9]{0,17}$/, "expected nano as a decimal number"),
});
const advanceCommand = z.strictObject({ ms: z.int().min(1).max(skipAtMostMs) });

/** Something in a command is wrong; says what. */
class BadCommand extends Error {}

/**
 * The explorer's page and what it asks, on loopback, for the user of this machine: it moves the faucet's money and the
 * chain's time.
 * @param page resolves with the folder of the built page
 * @param port 0 takes any free port
 */
export async function startExplorerHost(options: {
  readonly explorer: Explorer;
  readonly page: Promise<string>;
  readonly port: number;
}): Promise<ExplorerHost> {
  const { origin, [Symbol.asyncDispose]: dispose } = await startLocalServer(
    options.port,
    (origin, request, response) => {
      const reason = refusal({ method: request.method ?? "GET", headers: request.headers }, origin);
      if (reason !== undefined) return json(response, 403, { error: reason });
      route(options, request, response).catch((error: unknown) => {
        const isBad = error instanceof BadCommand || error instanceof z.ZodError;
        const words = error instanceof z.ZodError ? z.prettifyError(error) : String((error as Error).message);
        json(response, isBad ? 422 : 500, { error: words });
      });
    },
  );
  return { url: origin, [Symbol.asyncDispose]: dispose };
}

async function route(
  { explorer, page }: { readonly explorer: Explorer; readonly page: Promise<string> },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname } = new URL(request.url ?? "/", "http://host");
  const [, area, method, argument] = pathname.split("/");
  if (area !== "api") {
    if (request.method !== "GET") return json(response, 405, { error: "There is nothing here to change." });
    return sendFile(await page, pathname, headers, response);
  }
  if (request.method === "POST") return command(explorer, method, await body(request), response);
  if (method === "overview") return json(response, 200, await explorer.overview());
  if (method === "events") return follow(explorer, response);
  if (method === "account") {
    const address = parseAddress(decodeURIComponent(argument ?? ""));
    return json(response, 200, {
      ...(await explorer.account(address)),
      history: explorer.history(address),
    });
  }
  if (method === "tree") {
    const tree = explorer.tree((argument ?? "").toLowerCase());
    return tree ? json(response, 200, tree) : json(response, 404, { error: "No transaction has this hash." });
  }
  json(response, 404, { error: "There is no such page." });
}

async function command(
  explorer: Explorer,
  method: string | undefined,
  body: unknown,
  response: ServerResponse,
): Promise<void> {
  if (method === "faucet") {
    const { address, nano } = faucetCommand.parse(body);
    if (BigInt(nano) > faucetAtMost)
      throw new BadCommand("The faucet gives 1,000,000 GRAM at most at a time.");
    return json(response, 200, { hash: await explorer.ton.faucet(parseAddress(address), BigInt(nano)) });
  }
  if (method === "advance") {
    await explorer.ton.advance(advanceCommand.parse(body).ms);
    return json(response, 200, { skippedMs: explorer.ton.skippedMs });
  }
  json(response, 404, { error: "There is no such command." });
}

function parseAddress(text: string): Address {
  try {
    const address = Address.parse(text.trim());
    if (address.workChain === 0) return address;
  } catch {
    // Said below.
  }
  throw new BadCommand(`“${text.slice(0, 80)}” is not an address of this chain.`);
}

async function body(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > largestCommand) throw new BadCommand(`A command has ${largestCommand} bytes at most.`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    throw new BadCommand("The command is no JSON.");
  }
}

/** One event after each change of the chain. */
function follow({ ton }: Explorer, response: ServerResponse): void {
  eventStream(response, (tell) => {
    const tellSeqno = () => tell(String(ton.seqno()));
    tellSeqno();
    return ton.onChange(tellSeqno);
  });
}
