import { createReadStream, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { extname, join, normalize } from "node:path";

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".wasm": "application/wasm",
  ".svg": "image/svg+xml",
};

export interface MiniappSite {
  /** Folder of the built page. */
  readonly folder: string;
  readonly gateway: string;
  readonly chainEndpoints: readonly string[];
  readonly botId: number;
}

/** PROTOCOL §11: what the chat document may do; only the gateway and the pinned chain endpoints are reached. */
export function contentSecurityPolicy({
  gateway,
  chainEndpoints,
}: Pick<MiniappSite, "gateway" | "chainEndpoints">): string {
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

/** Serves the built Mini App from an origin of its own, as its host would. Listens when the caller says so. */
export function miniappServer(site: MiniappSite): Server {
  const policy = contentSecurityPolicy(site);
  const deployment = JSON.stringify({ gateway: site.gateway, botId: site.botId });
  return createServer((request, response) => {
    const headers = {
      "content-security-policy": policy,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cache-control": "no-store",
    };
    const path = normalize(decodeURIComponent(new URL(request.url ?? "/", "http://site").pathname));
    if (path === "/bombyx.json") {
      response.writeHead(200, { ...headers, "content-type": "application/json" }).end(deployment);
      return;
    }
    const file = join(site.folder, path === "/" ? "index.html" : path);
    if (!file.startsWith(site.folder) || !statSync(file, { throwIfNoEntry: false })?.isFile()) {
      response.writeHead(404, headers).end();
      return;
    }
    response.writeHead(200, {
      ...headers,
      "content-type": contentTypes[extname(file)] ?? "application/octet-stream",
    });
    createReadStream(file).pipe(response);
  });
}
