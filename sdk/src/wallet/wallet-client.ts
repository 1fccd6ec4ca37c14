import {
  accountWalletSchema,
  type Earnings,
  earningsSchema,
  type ProvenWallet,
  type SettlementJson,
  settlementSchema,
  type WalletChallenge,
  type WalletProof,
  walletChallengeSchema,
} from "@bombyx/protocol/wire";
import type { GatewayAccess } from "../gateway/access.ts";
import { GatewayHttp } from "../gateway/gateway-http.ts";

interface CallOptions {
  readonly signal?: AbortSignal;
}

/**
 * The wallet of one account, and what it can claim.
 *
 * ```ts
 * const wallets = new WalletClient({ gateway, apiKey });
 * const { payload } = await wallets.challenge();
 * // TON Connect: connect(wallet, { request: { tonProof: payload } })
 * await wallets.prove({ address, network, publicKey, walletStateInit, proof });
 * ```
 *
 * Every method throws BombyxError: UNAUTHENTICATED, FORBIDDEN (a bot's key), NOT_FOUND (this gateway settles nothing on
 * chain), GATEWAY_UNREACHABLE.
 */
export class WalletClient {
  readonly #http: GatewayHttp;

  /** @throws BombyxError BAD_REQUEST when `gateway` is not an https URL, or an http one of this machine. */
  constructor({ gateway, apiKey, allowHttp, fetch }: GatewayAccess) {
    this.#http = new GatewayHttp({ url: gateway, apiKey, allowHttp, fetch });
  }

  /** What the wallet signs as the payload of ton_proof; good once, for 15 minutes. */
  async challenge(options: CallOptions = {}): Promise<WalletChallenge> {
    return await this.#http.post(walletChallengeSchema, "v1/wallet/challenge", {}, options);
  }

  /**
   * Binds the wallet that signed, in place of the one before.
   * @throws BombyxError WALLET_NETWORK, WALLET_DOMAIN, WALLET_PROOF_TIME, WALLET_CHALLENGE, WALLET_STATE_INIT,
   * WALLET_CODE, WALLET_KEY, WALLET_SIGNATURE
   */
  async prove(proof: WalletProof, options: CallOptions = {}): Promise<ProvenWallet> {
    const init = { ...options, method: "PUT" };
    const { wallet } = await this.#http.post(accountWalletSchema, "v1/wallet", proof, init);
    if (!wallet) throw new RangeError("a gateway that took a proof names the wallet");
    return wallet;
  }

  /** @returns `undefined` when the account has proven none. */
  async wallet(options: CallOptions = {}): Promise<ProvenWallet | undefined> {
    return (await this.#http.json(accountWalletSchema, "v1/wallet", options)).wallet ?? undefined;
  }

  /** Forgets it; what its contracts hold stays its own. */
  async forget(options: CallOptions = {}): Promise<void> {
    await this.#http.json(accountWalletSchema, "v1/wallet", { ...options, method: "DELETE" });
  }

  /** Where the money is, and the last roots. Untrusted: a claim pays only by what the vault itself holds final. */
  async settlement(options: CallOptions = {}): Promise<SettlementJson> {
    return await this.#http.json(settlementSchema, "v1/settlement", options);
  }

  /** What each node earned and was paid, with the proof that claims the rest. */
  async earnings(options: CallOptions = {}): Promise<Earnings> {
    return await this.#http.json(earningsSchema, "v1/owner/earnings", options);
  }
}
