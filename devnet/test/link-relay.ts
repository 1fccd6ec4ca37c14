import { once } from "node:events";
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
  const server = new WebSocketServer({
    port: 0,
    host: "127.0.0.1",
    path: "/v1/link",
    perMessageDeflate: false,
    handleProtocols: () => linkSubprotocol,
  });
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
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    cut: () => {
      for (const cut of lines) cut();
    },
    [Symbol.asyncDispose]: async () => {
      for (const cut of lines) cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
