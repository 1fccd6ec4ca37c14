import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import * as z from "zod";
import type { BlockClock, ClockBlock } from "./block-clock.ts";

const masterchain = { workchain: -1, shard: "-9223372036854775808" } as const;
/** Chosen for the devnet; the public networks have -239 and -3. */
const globalId = -2_026;

export interface ChainServer {
  /** Base of the toncenter v2 API, e.g. `http://127.0.0.1:8781/api/v2`. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

const headerQuery = z.object({
  workchain: z.literal("-1"),
  shard: z.literal(masterchain.shard),
  seqno: z.string().regex(/^[0-9]{1,10}$/),
});

/**
 * Serves a {@link BlockClock} on a loopback port in the shape of toncenter's HTTP API v2:
 * `getMasterchainInfo` and `getBlockHeader`. A devnet runs two, because a client believes a beacon only
 * when two endpoints agree (PROTOCOL §4, ChainView).
 */
export async function startChainServer(options: {
  clock: BlockClock;
  /** 0 takes any free port. */
  port: number;
  now: () => number;
}): Promise<ChainServer> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://chain");
    send(response, answer(request.method ?? "GET", url, options.clock, options.now()));
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

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** What this chain says to a request at `now` (ms since epoch). */
function answer(method: string, url: URL, clock: BlockClock, now: number): Answer {
  if (method !== "GET") return refused(405, "This chain takes GET requests only.");
  if (url.pathname === "/api/v2/getMasterchainInfo") {
    const last = clock.latest(now);
    return found({
      "@type": "blocks.masterchainInfo",
      last: blockId(last),
      state_root_hash: base64(last.rootHash),
      init: { "@type": "ton.blockIdExt", ...masterchain, seqno: 0, root_hash: "", file_hash: "" },
    });
  }
  if (url.pathname === "/api/v2/getBlockHeader") {
    const query = headerQuery.safeParse(Object.fromEntries(url.searchParams));
    if (!query.success) return refused(422, `getBlockHeader of this chain: ${z.prettifyError(query.error)}`);
    const block = clock.block(Number(query.data.seqno), now);
    // toncenter's words for a block that it cannot find
    return block ? found(blockHeader(block)) : refused(500, "LITE_SERVER_NOTREADY: block is not found");
  }
  return refused(404, "This chain serves /api/v2/getMasterchainInfo and /api/v2/getBlockHeader.");
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
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": bytes.length,
    // The Mini App reads the chain by itself; blocks are public and nothing here is authenticated.
    "access-control-allow-origin": "*",
    "cache-control": "no-store",
  });
  response.end(bytes);
}
