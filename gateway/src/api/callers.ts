import type { IncomingMessage } from "node:http";
import { BombyxError, sealedHeaders } from "@bombyx/protocol/wire";
import type { Accounts, Principal } from "../accounts/accounts.ts";
import { ClientAddresses } from "../accounts/client-addresses.ts";
import { networkOf } from "../accounts/rate-limit.ts";
import { channelAccount } from "../ledger/channel-ledger.ts";

/** An account's own channel that pays in place of its sponsor, if any. */
export type OwnPayer = (principal: Principal, channel: string | undefined) => string | undefined;

/** Who calls: the credential's account, within its rate; and who pays. */
export class Callers {
  readonly #accounts: Accounts;
  readonly #ownPayer: OwnPayer;
  readonly #addresses: ClientAddresses;

  constructor(
    accounts: Accounts,
    ownPayer: OwnPayer = () => undefined,
    addresses: ClientAddresses = new ClientAddresses(),
  ) {
    this.#accounts = accounts;
    this.#ownPayer = ownPayer;
    this.#addresses = addresses;
  }

  /** @throws BombyxError UNAUTHENTICATED, RATE_LIMITED and whatever {@link Accounts.authenticate} refuses. */
  async identify(request: IncomingMessage): Promise<Principal> {
    const principal = await this.#authenticate(request);
    if (principal.kind === "bot" && principal.botId !== undefined) this.#accounts.admitBot(principal.botId);
    this.#accounts.admit(principal.account);
    const payer = this.#ownPayer(principal, channelNamedBy(request));
    return payer === undefined ? principal : { ...principal, payer };
  }

  /**
   * The same of somebody who spends: who names a channel pays by that one or not at all.
   * @throws BombyxError CHANNEL_UNKNOWN besides.
   */
  async identifyPayer(request: IncomingMessage): Promise<Principal> {
    const principal = await this.identify(request);
    const channel = channelNamedBy(request);
    if (channel === undefined || principal.payer === channelAccount(channel)) return principal;
    throw new BombyxError(
      "CHANNEL_UNKNOWN",
      "The channel named is not this account's, or the chain does not have it with the key that was registered.",
      { field: "Bombyx-Channel" },
    );
  }

  /** Whether the credential of a request that was identified is still good: not ended, not revoked. */
  async stillHolds(request: IncomingMessage): Promise<boolean> {
    return await this.#bearer(request).then(
      () => true,
      () => false,
    );
  }

  /** Counts what costs more than a request. @throws BombyxError RATE_LIMITED. */
  admit({ account }: Principal, cost: number): void {
    this.#accounts.admit(account, cost);
  }

  /** Counts an unauthenticated request against the address that it came from. */
  admitStranger(request: IncomingMessage, cost = 1): void {
    this.#accounts.admit(`address:${networkOf(this.#addresses.of(request))}`, cost);
  }

  async #authenticate(request: IncomingMessage): Promise<Principal> {
    try {
      return await this.#bearer(request);
    } catch (error) {
      // Guessing is counted; who knows a credential is not slowed down by guesses from the same address.
      this.admitStranger(request);
      throw error;
    }
  }

  async #bearer(request: IncomingMessage): Promise<Principal> {
    const [, bearer] = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(request.headers.authorization ?? "") ?? [];
    if (bearer === undefined) {
      throw new BombyxError(
        "UNAUTHENTICATED",
        "Send an API key or a session token: Authorization: Bearer KEY.",
        {
          field: "Authorization",
        },
      );
    }
    const user = request.headers[sealedHeaders.user];
    return await this.#accounts.authenticate(bearer, typeof user === "string" ? user : undefined);
  }
}

function channelNamedBy(request: IncomingMessage): string | undefined {
  const named = request.headers[sealedHeaders.channel];
  return typeof named === "string" ? named : undefined;
}
