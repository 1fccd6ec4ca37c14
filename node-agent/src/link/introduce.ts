import { fromUtf8, gatewayControlSchema, limits, linkSubprotocol } from "@bombyx/protocol/wire";
import { WebSocket } from "ws";
import { linkUrl } from "./gateway-url.ts";
import { hello, type Introduction } from "./hello.ts";
import { RefusedError } from "./refused.ts";

const withinMs = 10_000;

/**
 * Says hello and leaves: the pairing code is spent while it lasts, before gigabytes are downloaded and
 * loaded, and a wrong one is told at once.
 * @returns the node's id; undefined when the gateway is out of reach, or asks to come later.
 * @throws RefusedError when it refuses this node for good.
 */
export function introduce(
  gateway: string,
  introduction: Introduction,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
  const socket = new WebSocket(linkUrl(gateway), linkSubprotocol, {
    maxPayload: limits.linkMessageBytes,
    perMessageDeflate: false,
    followRedirects: false,
    handshakeTimeout: withinMs,
  });
  const leave = () => socket.close(1000);
  const timer = setTimeout(() => socket.terminate(), withinMs);
  const abort = () => socket.terminate();
  signal?.addEventListener("abort", abort, { once: true });
  socket.on("message", (data: Buffer, isBinary) => {
    if (isBinary) return leave();
    try {
      const message = gatewayControlSchema.parse(JSON.parse(fromUtf8(data)));
      if (message.t === "challenge") socket.send(JSON.stringify(hello(message.nonce, introduction)));
      else if (message.t === "refused" && message.fatal) {
        reject(new RefusedError(message.code, message.message));
      } else {
        if (message.t === "welcome") resolve(message.node);
        leave();
      }
    } catch {
      // It speaks another protocol: the link itself will say so.
      leave();
    }
  });
  socket.on("error", () => undefined);
  socket.on("close", () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
    resolve(undefined);
  });
  return promise.finally(leave);
}
