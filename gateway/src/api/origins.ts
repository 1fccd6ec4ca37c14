import type { IncomingMessage, ServerResponse } from "node:http";
import { BombyxError, sealedHeaders } from "@bombyx/protocol/wire";

const allowedHeaders = ["authorization", "content-type", ...Object.values(sealedHeaders)].join(", ");
const exposedHeaders = ["Bombyx-Session", "Retry-After"].join(", ");

/**
 * Pages of the configured origins may call the gateway; there is no wildcard. Whoever sends no
 * Origin (nodes, servers, the SDK outside browsers) is not a page.
 */
export class Origins {
  readonly #allowed: ReadonlySet<string>;

  constructor(allowed: readonly string[]) {
    this.#allowed = new Set(allowed);
  }

  /**
   * Sets the CORS headers, and answers a preflight.
   * @returns true when the request is answered.
   * @throws BombyxError FORBIDDEN for a page of another origin.
   */
  admit(request: IncomingMessage, response: ServerResponse): boolean {
    const { origin } = request.headers;
    if (origin === undefined) return false;
    if (!this.#allowed.has(origin)) {
      throw new BombyxError(
        "FORBIDDEN",
        "Pages of this origin may not call this gateway; its operator can allow it.",
        {
          field: "Origin",
        },
      );
    }
    response.setHeader("Access-Control-Allow-Origin", origin);
    response.setHeader("Access-Control-Expose-Headers", exposedHeaders);
    response.setHeader("Vary", "Origin");
    if (request.method !== "OPTIONS") return false;
    response.setHeader("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE");
    response.setHeader("Access-Control-Allow-Headers", allowedHeaders);
    response.setHeader("Access-Control-Max-Age", "600");
    response.writeHead(204).end();
    return true;
  }
}
