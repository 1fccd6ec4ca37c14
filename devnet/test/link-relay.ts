import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { linkSubprotocol } from "@bombyx/protocol/wire";
import { type RawData, WebSocket, WebSocketServer } from "ws";

/** One message on a node's link, as its two ends mean it: a WebSocket masks what a node sends. */
export interface LinkPassage {
  readonly from: "node" | "gateway";
  readonly bytes: Buffer;
  readonly binary: boolean;
}

/** Somebody on the way between a node and its gateway: sees every message, and may cut the line. */
export interface LinkRelay extends AsyncDisposable {
  /** What the node takes for its gateway. */
  readonly url: string;
  /** Cuts the line now, as a lost network would; the node may connect again. */
  cut(): void;
}

/** @param watch sees each message before it passes; after "cut" neither it nor anything else does. */
export async function startLinkRelay(
  gateway: string,
  watch: (passage: LinkPassage) => "cut" | undefined,
): Promise<LinkRelay> {
  const lines = new Set<() => void>();
  // What a node asks its gateway besides, such as where it settles, passes unseen.
  const http = createServer((request, response) => {
    fetch(`${gateway}${request.url}`, { method: request.method ?? "GET" })
      .then(async (answer) => {
        const body = Buffer.from(await answer.arrayBuffer());
        const type = answer.headers.get("content-type") ?? "application/octet-stream";
        response.writeHead(answer.status, { "Content-Type": type }).end(body);
      })
      .catch(() => response.destroy());
  });
  const server = new WebSocketServer({
    server: http,
    path: "/v1/link",
    perMessageDeflate: false,
    handleProtocols: () => linkSubprotocol,
  });
  http.listen(0, "127.0.0.1");
  server.on("connection", (node) => {
    const upstream = new WebSocket(`${gateway.replace(/^http/, "ws")}/v1/link`, linkSubprotocol, {
      perMessageDeflate: false,
    });
    const cut = () => {
      lines.delete(cut);
      node.terminate();
      upstream.terminate();
    };
    lines.add(cut);
    const pass = (from: LinkPassage["from"], to: WebSocket) => (data: RawData, binary: boolean) => {
      const bytes = data as Buffer;
      if (!lines.has(cut)) return;
      if (watch({ from, bytes, binary }) === "cut") cut();
      else to.send(bytes, { binary });
    };
    node.on("message", pass("node", upstream));
    upstream.on("message", pass("gateway", node));
    for (const end of [node, upstream]) end.on("close", cut).on("error", cut);
  });
  await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    cut: () => {
      for (const cut of lines) cut();
    },
    [Symbol.asyncDispose]: async () => {
      for (const cut of lines) cut();
      server.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}
