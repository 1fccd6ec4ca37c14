import type { Network } from "@bombyx/devnet/network";
import { type Accounts, openAccounts, openStore } from "@bombyx/gateway/accounts";
import { newSigningKeyPair, ready, sign } from "@bombyx/protocol/session";
import { concat, fromHex, gatewayControlSchema, linkSubprotocol, toHex, utf8 } from "@bombyx/protocol/wire";
import { WebSocket } from "ws";
import { Inspector } from "./inspector.ts";
import { residentBytes } from "./process-usage.ts";

/**
 * Half of the links come first, so that what the first connections warm up is not counted; and garbage is
 * collected, because how much of it lies about tells of the collector's moods.
 * @param inspectorPort the gateway's `--inspect-port`.
 */
export async function idleLinkBytes(network: Network, links: number, inspectorPort: number): Promise<number> {
  await ready;
  const inspector = await Inspector.open(network.gateway.pid, inspectorPort);
  // As the operator, beside the running gateway: an owner of its own may pair 64 machines, a few a minute.
  const store = openStore({ dataDir: network.state.path("gateway") });
  const accounts = openAccounts({ store });
  const sockets: WebSocket[] = [];
  const grow = async (upTo: number): Promise<number> => {
    while (sockets.length < upTo) sockets.push(await idleLink(network, accounts));
    await inspector.collectGarbage();
    return residentBytes(network.gateway.pid);
  };
  try {
    const before = await grow(links / 2);
    const after = await grow(links);
    return Math.max(0, after - before) / (links / 2);
  } finally {
    for (const socket of sockets) socket.terminate();
    inspector.close();
    await store.close();
  }
}

/** A node that has proved its link key, is paired and welcome, and has no model loaded yet. */
async function idleLink(network: Network, accounts: Accounts): Promise<WebSocket> {
  const keys = newSigningKeyPair();
  const { code } = await accounts.createPairingCode({ owner: "owner:bench" });
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
