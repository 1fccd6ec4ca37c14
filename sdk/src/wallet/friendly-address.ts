import { BombyxError, fromHex, toBase64 } from "@bombyx/protocol/wire";

export interface FriendlyForm {
  /** Contracts are bounceable: what they refuse comes back. Wallets are not: they may be new. */
  readonly bounceable: boolean;
  /** Of any network but mainnet. */
  readonly testOnly: boolean;
}

/**
 * The form that people know (TEP-2), from the raw `0:hex`: flags, workchain, hash, CRC-16. Here, and not from a TON library,
 * so that a screen that only shows an address does not load one.
 * @throws BombyxError BAD_REQUEST for what is no raw address
 */
export function friendlyAddress(raw: string, { bounceable, testOnly }: FriendlyForm): string {
  const [, workchain, hash] = /^(0|-1):([0-9a-f]{64})$/.exec(raw) ?? [];
  if (workchain === undefined || hash === undefined) {
    throw new BombyxError("BAD_REQUEST", "An address is 0: and 64 hex digits.", { field: "address" });
  }
  const bytes = new Uint8Array(36);
  bytes[0] = (bounceable ? 0x11 : 0x51) | (testOnly ? 0x80 : 0);
  bytes[1] = workchain === "0" ? 0 : 0xff;
  bytes.set(fromHex(hash), 2);
  const check = crc16(bytes.subarray(0, 34));
  bytes[34] = check >> 8;
  bytes[35] = check & 0xff;
  return toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_");
}

/** CRC-16/XMODEM. */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++)
      crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc;
}

/** UQAb…x9Yz: enough to recognise one's own. */
export const shortAddress = (friendly: string): string => `${friendly.slice(0, 4)}…${friendly.slice(-4)}`;
