import { Address } from "@ton/core";

/** A basechain address from its hash, 32 bytes as hex. */
export const basechainAddress = (hash: string): Address => new Address(0, Buffer.from(hash, "hex"));

/** Raw or friendly; `undefined` for what is no address, or one outside the basechain. */
export function readBasechainAddress(text: string): Address | undefined {
  try {
    const address = Address.parse(text);
    return address.workChain === 0 ? address : undefined;
  } catch {
    return undefined;
  }
}
