import { createHash, createPublicKey, verify } from "node:crypto";
import {
  BombyxError,
  fromBase64,
  fromHex,
  utf8,
  type WalletProof,
  walletChallengeMs,
} from "@bombyx/protocol/wire";
import { Cell, contractAddress, loadStateInit, type StateInit } from "@ton/core";
import { isForeign, readWallet } from "./wallet-code.ts";

/** What a proof is judged by. */
export interface ProofTerms {
  /** Of the chain that this gateway settles on. */
  readonly globalId: number;
  /** Hosts (with their port) of the pages that may ask for proofs. */
  readonly domains: readonly string[];
  /** ms since epoch. */
  readonly now: number;
  /** Whether this account was given the payload, has not used it, and still may. */
  readonly isChallenge: (payload: string) => Promise<boolean>;
  /** `get_public_key` of a wallet that is on the chain; `undefined` when there is none. */
  readonly publicKeyOnChain: (address: string) => Promise<Uint8Array | undefined>;
}

/** A wallet's clock may be that much ahead. */
const clockAheadMs = 60_000;

/**
 * TON Connect's ton_proof, step by step in SETTLEMENT's order; each refusal has its own code.
 * @throws BombyxError WALLET_NETWORK, WALLET_DOMAIN, WALLET_PROOF_TIME, WALLET_CHALLENGE, WALLET_STATE_INIT,
 * WALLET_CODE, WALLET_KEY, WALLET_SIGNATURE
 * @see https://docs.ton.org/v3/guidelines/ton-connect/verifying-signed-in-users
 */
export async function verifyTonProof(shown: WalletProof, terms: ProofTerms): Promise<void> {
  const { address, network, publicKey, proof } = shown;
  const { globalId, domains, now } = terms;
  if (network !== String(globalId)) throw wrongNetwork(network, globalId);
  if (!domains.includes(proof.domain.value) || proof.domain.lengthBytes !== utf8(proof.domain.value).length) {
    throw new BombyxError(
      "WALLET_DOMAIN",
      `The wallet signed for ${proof.domain.value}; this gateway takes proofs made at ${domains.join(", ") || "no page: its operator names them in BOMBYX_ORIGINS"}.`,
      { field: "proof.domain" },
    );
  }
  const signedAt = proof.timestamp * 1_000;
  if (signedAt < now - walletChallengeMs || signedAt > now + clockAheadMs) {
    throw new BombyxError(
      "WALLET_PROOF_TIME",
      "The proof was not signed within the last 15 minutes: connect the wallet again, and look at its clock.",
      { field: "proof.timestamp" },
    );
  }
  if (!(await terms.isChallenge(proof.payload))) throw unknownChallenge();
  const init = stateInitOf(shown);
  const key = await keyOf(init, shown, terms);
  if (!Buffer.from(key).equals(fromHex(publicKey))) {
    throw new BombyxError("WALLET_KEY", "The wallet at this address signs with another key.", {
      field: "publicKey",
    });
  }
  const signature = fromBase64(proof.signature);
  if (signature.length !== 64 || !verify(null, proofDigest(address, proof), ed25519(key), signature)) {
    throw new BombyxError("WALLET_SIGNATURE", "The signature is not this wallet's over this proof.", {
      field: "proof.signature",
    });
  }
}

export const unknownChallenge = (): BombyxError =>
  new BombyxError(
    "WALLET_CHALLENGE",
    "The proof answers no open challenge of this account: each is good once, for 15 minutes. Connect again.",
    { field: "proof.payload" },
  );

const wrongNetwork = (network: string, globalId: number): BombyxError =>
  new BombyxError(
    "WALLET_NETWORK",
    `The wallet is on network ${network}; this gateway settles on ${globalId}. Switch the wallet and connect again.`,
    { field: "network" },
  );

/** @throws BombyxError WALLET_STATE_INIT unless it is one, and the address its hash. */
function stateInitOf({ address, walletStateInit }: WalletProof): StateInit {
  try {
    const init = loadStateInit(Cell.fromBase64(walletStateInit).beginParse());
    if (contractAddress(0, init).toRawString() === address) return init;
  } catch {
    // No StateInit at all.
  }
  throw new BombyxError("WALLET_STATE_INIT", "The wallet's StateInit does not hash to its address.", {
    field: "walletStateInit",
  });
}

/** From the data of a wallet that we know, else from the chain. @throws BombyxError WALLET_CODE, WALLET_NETWORK */
async function keyOf(
  init: StateInit,
  { address, network }: WalletProof,
  { globalId, publicKeyOnChain }: ProofTerms,
): Promise<Uint8Array> {
  let known: ReturnType<typeof readWallet>;
  try {
    known = readWallet(init);
  } catch (cause) {
    throw new BombyxError("WALLET_CODE", "The wallet's data is not what its code keeps.", { cause });
  }
  if (known?.globalId !== undefined && isForeign(known.globalId, globalId)) {
    throw wrongNetwork(`${network} by name, but made for another one`, globalId);
  }
  const key = known?.publicKey ?? (await publicKeyOnChain(address));
  if (key) return key;
  throw new BombyxError(
    "WALLET_CODE",
    "This kind of wallet is not known, and not on the chain to be asked for its key. Use a V3R2, V4R2 or V5 wallet, or send something from this one first.",
    { field: "walletStateInit" },
  );
}

const sha256 = (...parts: readonly Uint8Array[]): Uint8Array => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** What a wallet signs: its address, the page, when, and the payload; lengths little-endian, as the standard has it. */
export function proofDigest(
  address: string,
  { domain, timestamp, payload }: Pick<WalletProof["proof"], "domain" | "timestamp" | "payload">,
): Uint8Array {
  const [workchain = "0", hash = ""] = address.split(":");
  const wc = Buffer.alloc(4);
  wc.writeInt32BE(Number(workchain));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(domain.lengthBytes);
  const at = Buffer.alloc(8);
  at.writeBigUInt64LE(BigInt(timestamp));
  const message = sha256(
    utf8("ton-proof-item-v2/"),
    wc,
    fromHex(hash),
    length,
    utf8(domain.value),
    at,
    utf8(payload),
  );
  return sha256(Uint8Array.of(0xff, 0xff), utf8("ton-connect"), message);
}

const spkiPrefix = fromHex("302a300506032b6570032100");

const ed25519 = (key: Uint8Array) =>
  createPublicKey({ key: Buffer.concat([spkiPrefix, key]), format: "der", type: "spki" });
