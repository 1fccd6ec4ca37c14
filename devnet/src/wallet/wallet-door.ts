import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { json } from "../web/respond.ts";
import type { LocalWallet } from "./local-wallet.ts";

const prefix = "/_wallet/";
const largestBody = 64 * 1_024;
const script = readFileSync(new URL("./injected-bridge.js", import.meta.url), "utf8");

/** How the page's list of wallets names this one. */
export const localWalletEntry = {
  app_name: "bombyx-devnet-wallet",
  name: "Devnet wallet",
  image: "",
  about_url: "https://ton.org",
  bridge: [{ type: "js", key: "bombyxDevnetWallet" }],
  platforms: ["ios", "android", "macos", "windows", "linux", "chrome", "firefox", "safari"],
  features: [{ name: "SendTransaction", maxMessages: 4 }],
};

/** What a page needs in its head to find the wallet. */
export const bridgeTag = `<script src="${prefix}bridge.js"></script>`;

/**
 * The wallet's side of the bridge, on the page's own origin.
 * @returns whether the path was one of it
 */
export function answerWallet(
  wallet: LocalWallet,
  request: IncomingMessage,
  response: ServerResponse,
  pathname: string,
): boolean {
  if (!pathname.startsWith(prefix)) return false;
  const path = pathname.slice(prefix.length);
  if (path === "bridge.js") {
    response
      .writeHead(200, { "content-type": "text/javascript; charset=utf-8", "cache-control": "no-store" })
      .end(script);
    return true;
  }
  const { origin, host = "" } = request.headers;
  // Another page of the same browser can reach this port, and is not connected.
  if (request.method !== "POST" || origin !== `http://${host}`) {
    json(response, 403, { error: "The wallet answers its own page only." });
    return true;
  }
  void ask(wallet, path, host, request, response);
  return true;
}

async function ask(
  wallet: LocalWallet,
  path: string,
  host: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  try {
    const body = await bodyOf(request);
    if (path === "connect") json(response, 200, await wallet.connect(body, gone.signal));
    else if (path === "restore") json(response, 200, wallet.restore(host));
    else if (path === "send") json(response, 200, await wallet.send(host, body, gone.signal));
    else if (path === "disconnect") {
      wallet.disconnect(host);
      json(response, 200, {});
    } else json(response, 404, { error: "The wallet has no such door." });
  } catch (error) {
    if (response.writableEnded || response.destroyed) return;
    json(response, 400, { error: error instanceof Error ? error.message : String(error) });
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > largestBody) throw new Error(`A request to the wallet has ${largestBody} bytes at most.`);
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString());
}
