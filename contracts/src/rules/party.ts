import { Address } from "@ton/core";

/** The contracts keep an address as its hash: all parties live in the basechain. */
export function basechain(hash: bigint | Uint8Array): Address {
  const bytes =
    typeof hash === "bigint" ? Buffer.from(hash.toString(16).padStart(64, "0"), "hex") : Buffer.from(hash);
  return new Address(0, bytes);
}

/** @throws {RangeError} for an address of another workchain */
export function basechainHash(address: Address): Buffer {
  if (address.workChain !== 0) throw new RangeError(`${address} is not in the basechain (workchain 0)`);
  return address.hash;
}
