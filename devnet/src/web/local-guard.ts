import type { IncomingHttpHeaders } from "node:http";

/** Sent by the playground page with everything that changes something; a foreign page cannot send it unasked. */
export const commandHeader = "bombyx-playground";

/**
 * Why a request is none of this machine's own page, or `undefined` when it may pass. The server listens on
 * loopback, but every page in the same browser can reach it: by name (DNS rebinding: the Host tells), by
 * address (Origin and Sec-Fetch-Site tell), and by a form (no form sends {@link commandHeader}).
 */
export function refusal(
  request: { readonly method: string; readonly headers: IncomingHttpHeaders },
  origin: string,
): string | undefined {
  const { host, origin: from, "sec-fetch-site": site, "sec-fetch-dest": destination } = request.headers;
  if (host !== new URL(origin).host) return `This server answers to ${new URL(origin).host} only.`;
  if (from !== undefined && from !== origin) return `Only ${origin} may ask here.`;
  const opened = request.method === "GET" && destination === "document";
  if (site !== undefined && site !== "same-origin" && site !== "none" && !opened)
    return `Only ${origin} may ask here.`;
  if (request.method !== "GET" && request.headers[commandHeader] === undefined)
    return `A command needs the header ${commandHeader}: 1.`;
  return undefined;
}
