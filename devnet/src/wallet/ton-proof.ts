import { createHash } from "node:crypto";
import type { Address } from "@ton/core";
import { sign } from "@ton/crypto";

/** ton_proof as a wallet makes it. @see https://docs.ton.org/v3/guidelines/ton-connect/verifying-signed-in-users */
export function signTonProof(
  address: Address,
  secretKey: Buffer,
  { domain, payload, at }: { readonly domain: string; readonly payload: string; readonly at: number },
) {
  const timestamp = Math.floor(at / 1_000);
  const value = Buffer.from(domain);
  const wc = Buffer.alloc(4);
  wc.writeInt32BE(address.workChain);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(value.length);
  const seconds = Buffer.alloc(8);
  seconds.writeBigUInt64LE(BigInt(timestamp));
  const message = Buffer.concat([
    Buffer.from("ton-proof-item-v2/"),
    wc,
    address.hash,
    length,
    value,
    seconds,
    Buffer.from(payload),
  ]);
  const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest();
  const digest = sha256(Buffer.concat([Buffer.of(0xff, 0xff), Buffer.from("ton-connect"), sha256(message)]));
  return {
    timestamp,
    domain: { lengthBytes: value.length, value: domain },
    payload,
    signature: sign(digest, secretKey).toString("base64"),
  };
}
