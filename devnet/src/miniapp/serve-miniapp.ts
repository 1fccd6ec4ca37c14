import { once } from "node:events";
import { createReadStream, statSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".wasm": "application/wasm",
  ".svg": "image/svg+xml",
};

/** A build of the Mini App, and the network that it is for. */
export interface Deployment {
  /** Folder of the built page. */
  readonly folder: string;
  readonly gateway: string;
  readonly chainEndpoints: readonly string[];
  readonly botId: number;
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
}: Pick<Deployment, "gateway" | "chainEndpoints">): string {
  const origins = [...new Set([gateway, ...chainEndpoints].map((url) => new URL(url).origin))];
  return [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    `connect-src 'self' ${origins.join(" ")}`,
    "img-src 'self' data: blob:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

/** Listens on a free loopback port: an origin of its own, as the page's host would be. */
export async function startMiniappHost(): Promise<MiniappHost> {
  let deployed: Deployment | undefined;
  const server = createServer((request, response) => {
    if (deployed) answer(deployed, request.url ?? "/", response);
    else response.writeHead(503).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    deploy: (deployment) => {
      deployed = deployment;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answer(deployment: Deployment, url: string, response: ServerResponse): void {
  const headers = {
    "content-security-policy": contentSecurityPolicy(deployment),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
  };
  // WHATWG URL has resolved `..` already; what is still encoded is a file name that no build has.
  const path = normalize(new URL(url, "http://host").pathname);
  if (path === "/bombyx.json") {
    const { gateway, botId } = deployment;
    response.writeHead(200, { ...headers, "content-type": "application/json" });
    response.end(JSON.stringify({ gateway, botId }));
    return;
  }
  const file = join(deployment.folder, path === "/" ? "index.html" : path);
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
    response.writeHead(404, headers).end();
    return;
  }
  const contentType = contentTypes[extname(file)] ?? "application/octet-stream";
  response.writeHead(200, { ...headers, "content-type": contentType });
  createReadStream(file).pipe(response);
}
