import { createReadStream, statSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { extname, join, normalize } from "node:path";

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".wasm": "application/wasm",
  ".svg": "image/svg+xml",
  ".ftl": "text/plain; charset=utf-8",
  ".woff2": "font/woff2",
  ".png": "image/png",
};

/** A file of a built page. @param pathname of a WHATWG URL, which has resolved `..` already. */
export function sendFile(
  folder: string,
  pathname: string,
  headers: Readonly<Record<string, string>>,
  response: ServerResponse,
): void {
  const path = normalize(pathname);
  const file = join(folder, path === "/" ? "index.html" : path);
  if (!isFile(file)) {
    response.writeHead(404, headers).end();
    return;
  }
  const contentType = contentTypes[extname(file)] ?? "application/octet-stream";
  response.writeHead(200, { ...headers, "content-type": contentType });
  createReadStream(file)
    .on("error", () => response.destroy())
    .pipe(response);
}

/** A name that the file system does not take, too long a one for example, is no file either. */
function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
