import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import * as z from "zod";
import type { BlockClock, ClockBlock } from "./block-clock.ts";

const masterchain = { workchain: -1, shard: "-9223372036854775808" } as const;
/** Chosen for the devnet; the public networks have -239 and -3. */
export const globalId = -2_026;

export interface ChainServer {
  /** Base of the toncenter v2 API, e.g. `http://127.0.0.1:8781/api/v2`. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

const headerQuery = z.object({
  workchain: z.coerce.number().pipe(z.literal(masterchain.workchain)),
  shard: z.literal(masterchain.shard),
  seqno: z.coerce
    .number()
    .int()
    .min(0)
    .max(2 ** 32),
});

/** What answers when accounts are asked for; opened by the first such question. */
export type OpenAccounts = () => Promise<(method: string, parameters: unknown) => Promise<unknown>>;

export interface ChainServerOptions {
  readonly clock: BlockClock;
  /** 0 takes any free port. */
  readonly port: number;
  readonly now: () => number;
  /** Without it, this is a chain of blocks alone. */
  readonly accounts?: OpenAccounts | undefined;
}

/**
 * Serves a chain on a loopback port in the shape of toncenter's HTTP API v2, as GET, POST and JSON-RPC. Blocks come
 * from a {@link BlockClock}; a devnet runs two servers, because a client believes a beacon only when two endpoints
 * agree (PROTOCOL §4, ChainView).
 */
export async function startChainServer(options: ChainServerOptions): Promise<ChainServer> {
  const server = createServer((request, response) => {
    respond(request, options).then(
      (answer) => send(response, answer),
      () => response.destroy(),
    );
  });
  await listen(server, options.port);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/api/v2`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const listen = (server: Server, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve());
  });

export interface Answer {
  readonly status: number;
  readonly body: object;
}

const jsonRpc = z.object({
  id: z.union([z.string(), z.number(), z.null()]).optional(),
  method: z.string().max(64),
  params: z.record(z.string(), z.unknown()).default({}),
});

/** A BoC of 64 KiB in base64, with room. */
const largestBody = 256 * 1_024;

async function respond(request: IncomingMessage, options: ChainServerOptions): Promise<Answer> {
  const url = new URL(request.url ?? "/", "http://chain");
  const method = /^\/api\/v2\/([A-Za-z]{1,64})$/.exec(url.pathname)?.[1];
  if (request.method === "OPTIONS") return { status: 204, body: {} };
  if (method === undefined) return refused(404, "This chain serves /api/v2/METHOD and /api/v2/jsonRPC.");
  if (request.method === "GET") return answer(method, Object.fromEntries(url.searchParams), options);
  if (request.method !== "POST") return refused(405, "This chain takes GET and POST.");
  const body = await readBody(request);
  if (body === undefined) return refused(413, `A question to this chain has ${largestBody} bytes at most.`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return refused(422, "The body is no JSON.");
  }
  if (method !== "jsonRPC") return answer(method, parsed, options);
  const call = jsonRpc.safeParse(parsed);
  if (!call.success) return refused(422, `jsonRPC: ${z.prettifyError(call.error)}`);
  const { id = null, method: named, params } = call.data;
  const { status, body: answered } = await answer(named, params, options);
  return { status, body: { ...answered, jsonrpc: "2.0", id } };
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= largestBody) chunks.push(chunk);
  }
  return length > largestBody ? undefined : Buffer.concat(chunks).toString();
}

/** What this chain says to a question. */
export async function answer(
  method: string,
  parameters: unknown,
  options: Omit<ChainServerOptions, "port">,
): Promise<Answer> {
  const { clock } = options;
  const now = options.now();
  if (method === "getMasterchainInfo") {
    const last = clock.latest(now);
    return found({
      "@type": "blocks.masterchainInfo",
      last: blockId(last),
      state_root_hash: base64(last.rootHash),
      init: { "@type": "ton.blockIdExt", ...masterchain, seqno: 0, root_hash: "", file_hash: "" },
    });
  }
  if (method === "getBlockHeader" || method === "lookupBlock") {
    const query = headerQuery.safeParse(parameters);
    if (!query.success) return refused(422, `${method} of this chain: ${z.prettifyError(query.error)}`);
    const block = clock.block(Number(query.data.seqno), now);
    // toncenter's words for a block that it cannot find
    if (!block) return refused(500, "LITE_SERVER_NOTREADY: block is not found");
    return found(method === "lookupBlock" ? blockId(block) : blockHeader(block));
  }
  if (!options.accounts)
    return refused(404, "This chain has blocks alone: getMasterchainInfo, getBlockHeader, lookupBlock.");
  try {
    const ask = await options.accounts();
    return found(await ask(method, parameters));
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    const status = error instanceof Error && "status" in error ? Number(error.status) : 500;
    return refused(status, words);
  }
}

const found = (result: unknown): Answer => ({ status: 200, body: { ok: true, result } });
const refused = (status: number, error: string): Answer => ({
  status,
  body: { ok: false, error, code: status },
});

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

const blockId = (block: ClockBlock) => ({
  "@type": "ton.blockIdExt",
  ...masterchain,
  seqno: block.seqno,
  root_hash: base64(block.rootHash),
  file_hash: base64(block.fileHash),
});

const blockHeader = (block: ClockBlock) => ({
  "@type": "blocks.header",
  id: blockId(block),
  global_id: globalId,
  version: 0,
  after_merge: false,
  before_split: false,
  after_split: false,
  want_merge: false,
  want_split: false,
  is_key_block: false,
  min_ref_mc_seqno: Math.max(0, block.seqno - 1),
  prev_key_block_seqno: 0,
  start_lt: String(block.seqno * 1_000_000),
  end_lt: String(block.seqno * 1_000_000 + 1),
  gen_utime: block.genUtime,
});

function send(response: ServerResponse, { status, body }: Answer): void {
  const bytes = status === 204 ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": bytes.length,
    // As at toncenter: a Mini App reads the chain by itself. All of it is public, and what moves money is signed.
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "content-type, x-ton-client-version, x-api-key",
    "cache-control": "no-store",
  });
  response.end(bytes);
}
