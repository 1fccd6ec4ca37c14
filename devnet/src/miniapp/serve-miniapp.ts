import type { IncomingMessage, ServerResponse } from "node:http";
import { joinCommand } from "../nodes/joinable.ts";
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
}

/** The Mini App's host. Its origin is known before its deployment, because a gateway admits pages by origin. */
export interface MiniappHost extends AsyncDisposable {
  readonly origin: string;
  deploy(deployment: Deployment): void;
}

/** PROTOCOL §11: what the chat document may do; only the gateway and the pinned chain endpoints are reached. */
export function contentSecurityPolicy({
  gateway,
  chainEndpoints,
  embedder,
}: Pick<Deployment, "gateway" | "chainEndpoints" | "embedder">): string {
  const origins = [...new Set([gateway, ...chainEndpoints].map((url) => new URL(url).origin))];
  return [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    `connect-src 'self' ${origins.join(" ")}`,
    "img-src 'self' data: blob:",
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${embedder ?? "'none'"}`,
  ].join("; ");
}

/**
 * Listens on loopback: an origin of its own, as the page's host would be.
 * @param port 0 takes any free port.
 */
export async function startMiniappHost(port = 0): Promise<MiniappHost> {
  let deployed: Deployment | undefined;
  const server = await startLocalServer(port, (_origin, request, response) => {
    if (deployed) answer(deployed, request, response);
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

function answer(deployment: Deployment, request: IncomingMessage, response: ServerResponse): void {
  const headers = {
    "content-security-policy": contentSecurityPolicy(deployment),
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
  sendFile(deployment.folder, pathname, headers, response);
}
