import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A chain of one block behind toncenter's API, as two endpoints that agree. */
export interface TestChain {
  readonly name: string;
  readonly endpoints: string[];
  readonly beacon: { chain: string; seqno: number; hash: string };
  close(): void;
}

export async function startChain(name: string): Promise<TestChain> {
  const seqno = 7;
  const hash = Buffer.alloc(32, 7);
  const at = Math.floor(Date.now() / 1_000);
  const servers = [0, 1].map(() =>
    createServer((request, response) => {
      const result = request.url?.includes("/getMasterchainInfo")
        ? { last: { seqno } }
        : {
            id: { workchain: -1, shard: "-9223372036854775808", seqno, root_hash: hash.toString("base64") },
            gen_utime: at,
          };
      response.writeHead(200, { "Content-Type": "application/json" });
      response.end(JSON.stringify({ ok: true, result }));
    }),
  );
  const endpoints: string[] = [];
  for (const server of servers) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    endpoints.push(`http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v2`);
  }
  return {
    name,
    endpoints,
    beacon: { chain: name, seqno, hash: hash.toString("hex") },
    close: () => {
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}
