import { Address } from "@ton/core";
import * as z from "zod";
import type { RegistryTerms } from "../registry/registry.ts";
import type { VaultTerms } from "../vault/vault.ts";
import { CommandError } from "./command-error.ts";

/** Networks by name, with the global id that everything signed for them names. */
export const globalIds = { mainnet: -239, testnet: -3, devnet: -2026 } as const;
export type NetworkName = keyof typeof globalIds;

const party = z.string().transform((text, context) => {
  try {
    const address = Address.parse(text);
    if (address.workChain === 0) return address;
  } catch {
    // Said below.
  }
  context.addIssue({ code: "custom", message: `must be an address in the basechain, not ${text}` });
  return z.NEVER;
});

const termsSchema = z
  .strictObject({
    network: z.enum(["mainnet", "testnet", "devnet"]),
    owner: party,
    guardian: party,
    committer: party,
    releaseKeys: z.tuple([party, party, party]),
    ackKey: z.string().regex(/^[0-9a-f]{64}$/, "must be 64 lower-case hex digits"),
    feeBps: z.int().min(0).max(3000),
    salt: z.union([z.int().nonnegative(), z.string().regex(/^\d{1,20}$/)]),
  })
  .refine(({ owner, guardian }) => !owner.equals(guardian), {
    path: ["guardian"],
    message: "must be another person than the owner: only the guardian can veto what the owner's keys do",
  })
  .refine(
    ({ releaseKeys: [one, two, three] }) => !one.equals(two) && !two.equals(three) && !one.equals(three),
    {
      path: ["releaseKeys"],
      message: "must be three different addresses: two of them approve a release",
    },
  );

/** What a deployment is made of: the contents of TERMS.json. */
export interface Terms extends VaultTerms, RegistryTerms {
  readonly network: NetworkName;
}

/** @throws {CommandError} TERMS_INVALID, which names each field */
export function parseTerms(text: string): Terms {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new CommandError("TERMS_INVALID", "the terms are no JSON", error);
  }
  const parsed = termsSchema.safeParse(json);
  if (!parsed.success) throw new CommandError("TERMS_INVALID", z.prettifyError(parsed.error));
  const salt = BigInt(parsed.data.salt);
  if (salt >= 1n << 64n) throw new CommandError("TERMS_INVALID", "salt must be below 2^64");
  return { ...parsed.data, ackKey: Buffer.from(parsed.data.ackKey, "hex"), salt };
}
