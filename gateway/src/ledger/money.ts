import { BombyxError } from "@bombyx/protocol/wire";

/** The account outside: what was deposited is its debt, so that all accounts sum to zero. */
export const worldAccount = "world";
export const operatorAccount = "operator";
export const nodeAccount = (node: string) => `node:${node}`;
/** What a person bought with Stars at one bot, and has not spent. */
export const creditAccount = (botId: number | bigint, userId: number | bigint) => `credit:${botId}:${userId}`;
export const sponsorAccount = (developer: string) => `sponsor:${developer}`;

const largest = 2n ** 63n - 1n;

/** @throws BombyxError BAD_REQUEST for an amount that is negative or that 64 bits cannot hold. */
export function assertNano(nano: bigint, field: string): void {
  if (nano < 0n || nano > largest) {
    throw new BombyxError("BAD_REQUEST", `${field} is ${nano}; an amount is 0 to ${largest} nanoTON.`, {
      field,
    });
  }
}

/** The operator's part, rounded down, so that the node never gets less than its share. */
export function splitFee(chargedNano: bigint, feeBps: number): { nodeNano: bigint; feeNano: bigint } {
  const feeNano = (chargedNano * BigInt(feeBps)) / 10_000n;
  return { nodeNano: chargedNano - feeNano, feeNano };
}
