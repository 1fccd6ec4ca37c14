import { BombyxError, hex, rawAddress, settlementSchema } from "@bombyx/protocol/wire";
import { Address } from "@ton/core";
import * as z from "zod";
import type { ChainReader } from "./vault-reader.ts";

/** Which contract pays this node; fixed when it is first seen, for as long as the state folder lives. */
export const vaultPinSchema = z.strictObject({
  v: z.literal(1),
  globalId: z.int(),
  vault: rawAddress,
  /** The vault's ack key when the chain was last asked, hex. */
  ackPk: hex.b32,
});
export type VaultPin = z.infer<typeof vaultPinSchema>;

/** Whose money it is: enough to find the NodeAccount again, and to deploy it, without the gateway. */
export const pinnedNodeSchema = vaultPinSchema.extend({ node: hex.b32, payout: z.string() });
export type PinnedNode = z.infer<typeof pinnedNodeSchema>;

/** What a gateway says of its settlement, as far as a node asks. */
export type GatewayTerms = { readonly globalId: number; readonly vault: string; readonly ackPk: string };

const withinMs = 15_000;

/**
 * What this gateway settles on; undefined when it settles nothing on chain.
 * @throws BombyxError GATEWAY_UNREACHABLE
 */
export async function fetchTerms(gateway: string, request: typeof fetch): Promise<GatewayTerms | undefined> {
  const url = new URL("v1/settlement", gateway.endsWith("/") ? gateway : `${gateway}/`);
  try {
    const response = await request(url, { signal: AbortSignal.timeout(withinMs), redirect: "error" });
    if (response.status === 404) return undefined;
    if (!response.ok) throw new Error(`it answers ${response.status}`);
    const { globalId, vault, ackPk } = settlementSchema
      .pick({ globalId: true, vault: true, ackPk: true })
      .parse(await response.json());
    return { globalId, vault, ackPk };
  } catch (cause) {
    throw new BombyxError(
      "GATEWAY_UNREACHABLE",
      "The gateway does not say where it settles; it is asked again.",
      {
        cause,
      },
    );
  }
}

/** What is asked of a gateway's terms, in the order of PROTOCOL: the owner's word, what was pinned, the chain. */
export interface PinQuestion {
  readonly terms: GatewayTerms | undefined;
  /** The key that the link named. */
  readonly ackPk: string;
  readonly pinned: VaultPin | undefined;
  /** `--vault`, when it was given. */
  readonly given: Address | undefined;
}

/** @throws BombyxError BAD_REQUEST */
export function readVaultAddress(text: string): Address {
  try {
    const address = Address.parse(text);
    if (address.workChain === 0) return address;
  } catch {
    // Told below.
  }
  throw new BombyxError(
    "BAD_REQUEST",
    `--vault is "${text}", which is no address of a contract in the basechain.`,
    {
      field: "vault",
    },
  );
}

const mismatch = (message: string) => new BombyxError("VAULT_MISMATCH", message, { field: "vault" });

/**
 * The vault that this node is paid by; undefined when nothing is settled on chain.
 * @throws BombyxError VAULT_MISMATCH when gateway, owner's word and earlier pin do not name one vault, or it is none;
 * ACK_KEY_UNKNOWN when the gateway signs with a key that is not the vault's; CHAIN_UNAVAILABLE
 */
export async function pinVault(
  { terms, ackPk, pinned, given }: PinQuestion,
  chain: ChainReader,
): Promise<VaultPin | undefined> {
  const wanted = given?.toRawString() ?? pinned?.vault;
  if (given && pinned && given.toRawString() !== pinned.vault) {
    throw mismatch(
      `--vault is ${given}, but what this node earned so far is paid by ${Address.parse(pinned.vault)}. Start it with that one, or as a new node in another --state folder.`,
    );
  }
  if (terms === undefined) {
    if (wanted === undefined) return undefined;
    throw mismatch(
      `This node is paid by the vault ${Address.parse(wanted)}, but the gateway settles nothing on chain any more. Nothing is served to it; what is final stays claimable (bombyx-node claim).`,
    );
  }
  if (wanted !== undefined && terms.vault !== wanted) {
    throw mismatch(
      `This node is paid by the vault ${Address.parse(wanted)}, but the gateway now names ${Address.parse(terms.vault)}. Nothing is served to it; ask the operator, and claim what is final (bombyx-node claim).`,
    );
  }
  if (pinned && pinned.globalId !== terms.globalId) {
    throw mismatch(
      `This node's vault is on network ${pinned.globalId}, but the gateway now names network ${terms.globalId}.`,
    );
  }
  // Asked before, and nothing changed: a chain that is away for a moment stops no node.
  if (pinned?.ackPk === ackPk && terms.ackPk === ackPk) return pinned;
  const globalId = await chain.globalId();
  if (terms.globalId !== globalId) {
    throw mismatch(
      `The gateway settles on network ${terms.globalId}, but --chain-endpoints are of network ${globalId}.`,
    );
  }
  const { view } = await chain.vault(Address.parse(terms.vault));
  const onChain = view.ackKey.toString("hex");
  if (onChain !== ackPk || onChain !== terms.ackPk) {
    throw new BombyxError(
      "ACK_KEY_UNKNOWN",
      `The gateway acknowledges with the key ${ackPk.slice(0, 8)}…, but the vault knows ${onChain.slice(0, 8)}…: with such Acks nothing could be disputed. Ask the operator.`,
    );
  }
  return { v: 1, globalId, vault: terms.vault, ackPk };
}
