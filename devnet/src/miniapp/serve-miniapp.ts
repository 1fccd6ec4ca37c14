import { existsSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { joinCommand } from "../nodes/joinable.ts";
import type { LocalWallet } from "../wallet/local-wallet.ts";
import { answerWallet, bridgeTag, localWalletEntry } from "../wallet/wallet-door.ts";
import { forward } from "../web/forward.ts";
import { startLocalServer } from "../web/local-server.ts";
import { sendFile } from "../web/static-files.ts";

/** A build of the Mini App, and the network that it is for. */
export interface Deployment {
  /** Folder of the built page. */
  readonly folder: string;
  readonly gateway: string;
  readonly chainEndpoints: readonly string[];
  readonly botId: number;
  /** Without `@`: where visitors outside Telegram are led; absent when it has none. */
  readonly botUsername?: string;
  /** What an owner pastes into a terminal, with {code}. @default this devnet's own */
  readonly nodeCommand?: string;
  /** The page in whose frame this one is opened, as Telegram Web does; nobody may frame it when absent. */
  readonly embedder?: string;
  /** Paths of this host, as prefixes, that are servers behind it: a phone reaches all through one public address. */
  readonly behind?: Readonly<Record<string, string>>;
  /** This devnet's own wallet, as if the page were open in that wallet's browser. */
  readonly wallet?: LocalWallet;
  /** Wallets that the page offers, in TON Connect's form. @default the devnet's own, else those of the build */
  readonly wallets?: readonly WalletEntry[];
}

/** A line of TON Connect's list of wallets. */
export interface WalletEntry {
  readonly app_name: string;
  readonly name: string;
  readonly image: string;
  readonly about_url: string;
  readonly universal_url?: string;
  readonly platforms: readonly string[];
  readonly bridge: readonly { readonly type: string; readonly url?: string; readonly key?: string }[];
}

/** The Mini App's host. Its origin is known before its deployment, because a gateway admits pages by origin. */
export interface MiniappHost extends AsyncDisposable {
  readonly origin: string;
  deploy(deployment: Deployment): void;
}

/**
 * PROTOCOL §11: what the chat document may do; only the gateway and the pinned chain endpoints are reached. The
 * wallet's document has a policy of its own: the bridges of the wallets that it offers, and no WebAssembly.
 */
export function contentSecurityPolicy(
  { gateway, chainEndpoints, embedder }: Pick<Deployment, "gateway" | "chainEndpoints" | "embedder">,
  bridges?: readonly string[],
): string {
  const origins = [
    ...new Set([gateway, ...chainEndpoints, ...(bridges ?? [])].map((url) => new URL(url).origin)),
  ];
  return [
    "default-src 'none'",
    bridges ? "script-src 'self'" : "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    `connect-src 'self' ${origins.join(" ")}`,
    bridges ? "img-src 'self' data:" : "img-src 'self' data: blob:",
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${embedder ?? "'none'"}`,
  ].join("; ");
}

function walletsOf({ folder, wallet, wallets }: Deployment): readonly WalletEntry[] {
  if (wallets) return wallets;
  if (wallet) return [localWalletEntry];
  const file = join(folder, "wallets.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as WalletEntry[]) : [];
}

/**
 * Listens on loopback: an origin of its own, as the page's host would be.
 * @param port 0 takes any free port.
 */
export async function startMiniappHost(port = 0): Promise<MiniappHost> {
  let deployed: Deployment | undefined;
  const server = await startLocalServer(port, (origin, request, response) => {
    if (deployed) answer(deployed, origin, request, response);
    else response.writeHead(503).end();
  });
  return {
    origin: server.origin,
    deploy: (deployment) => {
      deployed = deployment;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const walletPage = "/wallet.html";

function answer(
  deployment: Deployment,
  origin: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const isWallet = (request.url ?? "").split(/[?#]/, 1)[0] === walletPage;
  const bridges = walletsOf(deployment).flatMap(({ bridge }) => bridge.flatMap(({ url }) => url ?? []));
  const headers = {
    "content-security-policy": contentSecurityPolicy(deployment, isWallet ? bridges : undefined),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
  };
  const url = URL.parse(request.url ?? "/", "http://host");
  if (!url) {
    response.writeHead(400, headers).end();
    return;
  }
  const { pathname, search } = url;
  const behind = Object.entries(deployment.behind ?? {}).find(([prefix]) => pathname.startsWith(prefix));
  if (behind) {
    const [prefix, server] = behind;
    forward(request, response, `${server}${pathname.slice(prefix.length)}${search}`);
    return;
  }
  if (pathname === "/bombyx.json") {
    const { gateway, botId, botUsername, nodeCommand = joinCommand } = deployment;
    response.writeHead(200, { ...headers, "content-type": "application/json" });
    response.end(JSON.stringify({ gateway, botId, botUsername, nodeCommand }));
    return;
  }
  if (pathname === "/wallets.json") {
    response.writeHead(200, { ...headers, "content-type": "application/json" });
    response.end(JSON.stringify(walletsOf(deployment)));
    return;
  }
  if (pathname === "/tonconnect-manifest.json") {
    // Wallets fetch it from their own pages, and show what it says.
    response.writeHead(200, {
      ...headers,
      "content-type": "application/json",
      "access-control-allow-origin": "*",
    });
    const url = deployment.behind ? new URL(deployment.gateway).origin : origin;
    response.end(JSON.stringify({ url, name: "Bombyx", iconUrl: `${url}/icon.png` }));
    return;
  }
  const { wallet } = deployment;
  if (wallet && answerWallet(wallet, request, response, pathname)) return;
  if (wallet && pathname === walletPage) {
    const page = readFileSync(join(deployment.folder, "wallet.html"), "utf8");
    response.writeHead(200, { ...headers, "content-type": "text/html; charset=utf-8" });
    response.end(page.replace("<head>", `<head>${bridgeTag}`));
    return;
  }
  sendFile(deployment.folder, pathname, headers, response);
}
