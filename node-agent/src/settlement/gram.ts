import { BombyxError } from "@bombyx/protocol/wire";

const nanoPerGram = 1_000_000_000n;

/** Up to nine places; what {@link parseGram} takes. */
export const gramPattern = /^(\d{1,12})(?:\.(\d{1,9}))?$/;

/** nanoTON as a decimal number of coins, without zeros at the end. */
export function gramText(nano: bigint): string {
  const size = nano < 0n ? -nano : nano;
  const rest = (size % nanoPerGram).toString().padStart(9, "0").replace(/0+$/, "");
  return `${nano < 0n ? "-" : ""}${size / nanoPerGram}${rest === "" ? "" : `.${rest}`}`;
}

/** @throws BombyxError BAD_REQUEST for anything but a decimal number with at most nine places */
export function parseGram(text: string): bigint {
  const [, whole, part = ""] = gramPattern.exec(text) ?? [];
  if (whole === undefined) {
    throw new BombyxError(
      "BAD_REQUEST",
      `"${text}" is no amount of GRAM: give a number with at most nine places, as 0.25.`,
    );
  }
  return BigInt(whole) * nanoPerGram + BigInt(part.padEnd(9, "0"));
}
