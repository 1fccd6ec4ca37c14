/** What is on sale, in Stars: a try, a week, a month, a lot. */
export const starAmounts = [25, 100, 500, 2_500] as const;

/** What one purchase is: so many Stars for so much credit, as agreed when the invoice was made. */
export interface StarPrice {
  readonly stars: number;
  readonly nano: bigint;
}

export const priceOf = (stars: number, nanoPerStar: bigint): StarPrice => ({
  stars,
  nano: BigInt(stars) * nanoPerStar,
});

/** Travels in the invoice and comes back with the payment; only the bot writes it, and nobody else can change it. */
export const payloadOf = ({ stars, nano }: StarPrice): string => `credit1:${stars}:${nano}`;

/** Undefined for what is no invoice of ours. */
export function readPayload(payload: string): StarPrice | undefined {
  const [, stars = "", nano = ""] = /^credit1:([1-9][0-9]{0,5}):([1-9][0-9]{0,17})$/.exec(payload) ?? [];
  return stars === "" ? undefined : { stars: Number(stars), nano: BigInt(nano) };
}

/** Credit as people bought it: in Stars, with one decimal. */
export function inStars(nano: bigint, nanoPerStar: bigint): string {
  const tenths = (nano * 10n) / nanoPerStar;
  return tenths % 10n === 0n ? `${tenths / 10n}` : `${tenths / 10n}.${tenths % 10n}`;
}
