import { hash } from "node:crypto";

/** Name of a developer's sponsor account in a SponsorDeposit: 256 bits that tell a stranger nothing. */
export const sponsorName = (developer: string): bigint =>
  BigInt(`0x${hash("sha256", Buffer.from(`bombyx/sponsor/v1\0${developer}`), "hex")}`);
