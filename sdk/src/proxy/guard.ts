import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { BombyxError } from "@bombyx/protocol/wire";

const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest();

/**
 * Who may speak to the proxy: programs of this machine that hold its key, and no web page. A page
 * could reach loopback through the user's browser, so Host (DNS rebinding) and Origin are judged first.
 */
export class Guard {
  readonly #keyHash: Buffer;

  constructor(apiKey: string) {
    this.#keyHash = sha256(apiKey);
  }

  /**
   * @param port the one that the proxy listens on
   * @throws BombyxError HOST_REFUSED, FORBIDDEN or UNAUTHENTICATED.
   */
  admit(headers: IncomingHttpHeaders, port: number): void {
    const hosts = ["127.0.0.1", "localhost", "[::1]"].map((host) => `${host}:${port}`);
    if (!headers.host || !hosts.includes(headers.host.toLowerCase())) {
      throw new BombyxError("HOST_REFUSED", `This proxy answers as ${hosts.join(", ")} only.`, {
        field: "Host",
      });
    }
    if (headers.origin !== undefined || isCrossSite(headers["sec-fetch-site"])) {
      throw new BombyxError(
        "FORBIDDEN",
        "Web pages may not use this proxy; only programs with its key may.",
        {
          field: "Origin",
        },
      );
    }
    const [, key = ""] = /^Bearer (.+)$/i.exec(headers.authorization ?? "") ?? [];
    // Hashes have one length and tell nothing of how much of the key was right.
    if (!timingSafeEqual(sha256(key), this.#keyHash)) {
      throw new BombyxError(
        "UNAUTHENTICATED",
        "Send the API key that the proxy was started with: Authorization: Bearer KEY.",
        { field: "Authorization" },
      );
    }
  }
}

const isCrossSite = (site: string | string[] | undefined): boolean =>
  site !== undefined && site !== "none" && site !== "same-origin";
