import type { Network } from "@bombyx/devnet/network";
import { newSigningKeyPair, ready, sign } from "@bombyx/protocol/session";
import {
  concat,
  errorBodySchema,
  fromHex,
  gatewayControlSchema,
  linkSubprotocol,
  toHex,
  utf8,
} from "@bombyx/protocol/wire";
import { WebSocket } from "ws";
import { residentBytes } from "./process-usage.ts";

/** Half of the links come first, so that what the first connections warm up is not counted. */
export async function idleLinkBytes(network: Network, links: number): Promise<number> {
  await ready;
  const sockets: WebSocket[] = [];
  const grow = async (upTo: number): Promise<number> => {
    while (sockets.length < upTo) sockets.push(await idleLink(network));
    return residentBytes(network.gateway.pid);
  };
  const before = await grow(links / 2);
  const after = await grow(links);
  for (const socket of sockets) socket.terminate();
  return Math.max(0, after - before) / (links / 2);
}

/** A node that has proved its link key, is paired and welcome, and has no model loaded yet. */
async function idleLink(network: Network): Promise<WebSocket> {
  const keys = newSigningKeyPair();
  const code = await pairingCode(network);
  const socket = new WebSocket(`${network.gateway.url.replace(/^http/, "ws")}/v1/link`, linkSubprotocol);
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("message", (data: Buffer) => {
      const message = gatewayControlSchema.parse(JSON.parse(data.toString()));
      if (message.t === "welcome") resolve(socket);
      if (message.t === "refused") reject(new Error(message.message));
      if (message.t !== "challenge") return;
      const signed = concat(utf8("bombyx/link-auth/v1\0"), fromHex(message.nonce));
      socket.send(
        JSON.stringify({
          t: "hello",
          v: 1,
          agent: "bench",
          name: "idle",
          linkPk: toHex(keys.publicKey),
          payout: "unset",
          signature: toHex(sign(signed, keys.privateKey)),
          pairingCode: code,
          coefficient: 1_000,
        }),
      );
    });
  });
}

/** As fast as the gateway's rate limit lets one account ask. */
async function pairingCode(network: Network): Promise<string> {
  for (;;) {
    const response = await fetch(`${network.gateway.url}/v1/pairing-codes`, {
      method: "POST",
      headers: { authorization: `Bearer ${network.apiKey}` },
    });
    if (response.ok) return ((await response.json()) as { code: string }).code;
    const { error } = errorBodySchema.parse(await response.json());
    if (error.retryAfterMs === undefined) throw new Error(`pairing code: ${error.message}`);
    await new Promise((resolve) => setTimeout(resolve, error.retryAfterMs));
  }
}
