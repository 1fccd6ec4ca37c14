import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fromHex, toBase64 } from "@bombyx/protocol/wire";
import { block } from "./world.ts";

/** The one block of tests, in toncenter's shape, under two addresses. */
export class ChainServer {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<ChainServer> {
    const id = { workchain: -1, seqno: block.seqno, root_hash: toBase64(fromHex(block.hash)) };
    const server = createServer((request, response) => {
      const result = request.url?.includes("getMasterchainInfo")
        ? { last: id }
        : { id, gen_utime: block.at / 1_000 };
      response.end(JSON.stringify({ ok: true, result }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new ChainServer(server);
  }

  get endpoints(): readonly string[] {
    const base = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return [`${base}/one`, `${base}/two`];
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
