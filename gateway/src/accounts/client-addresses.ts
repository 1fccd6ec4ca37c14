import type { IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";

/** Proxies between a client and us; more than any sane deployment has. */
const hopsMost = 16;

/**
 * Where a request comes from. `X-Forwarded-For` is what anybody may write: it is believed only as far as trusted
 * proxies wrote it, from the right, and the first address that none of them has is the client's.
 */
export class ClientAddresses {
  readonly #trusted = new BlockList();
  readonly #none: boolean;

  /** @param trusted networks of the operator's own proxies, as CIDR. @throws RangeError naming one that is none. */
  constructor(trusted: readonly string[] = []) {
    this.#none = trusted.length === 0;
    for (const network of trusted) {
      const parsed = parseCidr(network);
      if (!parsed) throw new RangeError(`${network} is no network, like 10.0.0.0/8 or fd00::/8`);
      this.#trusted.addSubnet(parsed.address, parsed.bits, parsed.family);
    }
  }

  of(request: Pick<IncomingMessage, "headers" | "socket">): string | undefined {
    const { remoteAddress } = request.socket;
    if (this.#none || remoteAddress === undefined || !this.#trusts(remoteAddress)) return remoteAddress;
    const header = request.headers["x-forwarded-for"];
    const hops = (Array.isArray(header) ? header.join(",") : (header ?? "")).split(",");
    let client = remoteAddress;
    for (const hop of hops.reverse().slice(0, hopsMost)) {
      const address = addressOf(hop);
      // What a trusted proxy wrote and nobody can read is no address; what is behind it, nobody vouches for.
      if (address === undefined) return client;
      client = address;
      if (!this.#trusts(address)) return client;
    }
    return client;
  }

  #trusts(address: string): boolean {
    const plain = plainOf(address);
    return this.#trusted.check(plain, isIP(plain) === 6 ? "ipv6" : "ipv4");
  }
}

/** @returns undefined for what is no network. */
export function parseCidr(
  text: string,
): { address: string; bits: number; family: "ipv4" | "ipv6" } | undefined {
  const [address = "", bits, ...rest] = text.split("/");
  const version = isIP(address);
  if (version === 0 || rest.length > 0 || address.includes("%")) return undefined;
  const most = version === 4 ? 32 : 128;
  const length = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  if (!(length >= 0 && length <= most)) return undefined;
  return { address, bits: length, family: version === 4 ? "ipv4" : "ipv6" };
}

/** One hop of the header: an address, perhaps with a port. */
function addressOf(hop: string): string | undefined {
  const text = hop.trim();
  const [, inBrackets] = /^\[([^\]]+)\](?::\d+)?$/.exec(text) ?? [];
  const [, beforePort] = /^(\d+(?:\.\d+){3}):\d+$/.exec(text) ?? [];
  const address = inBrackets ?? beforePort ?? text;
  return isIP(address) === 0 ? undefined : address;
}

/** IPv4 as IPv4, however it was written. */
const plainOf = (address: string): string =>
  /^::ffff:(\d+(?:\.\d+){3})$/i.exec(address)?.[1] ?? address.split("%", 1)[0] ?? address;
