import type { IncomingMessage } from "node:http";
import { BombyxError, sealedHeaders } from "@bombyx/protocol/wire";
import type { Accounts, Principal } from "../accounts/accounts.ts";
import { networkOf } from "../accounts/rate-limit.ts";

/** Who calls: the credential's account, within its rate. */
export class Callers {
  readonly #accounts: Accounts;

  constructor(accounts: Accounts) {
    this.#accounts = accounts;
  }

  /** @throws BombyxError UNAUTHENTICATED, RATE_LIMITED and whatever {@link Accounts.authenticate} refuses. */
  async identify(request: IncomingMessage): Promise<Principal> {
    const principal = await this.#authenticate(request);
    if (principal.kind === "bot" && principal.botId !== undefined) this.#accounts.admitBot(principal.botId);
    this.#accounts.admit(principal.account);
    return principal;
  }

  /** Counts an unauthenticated request against the address that it came from. */
  admitStranger(request: IncomingMessage, cost = 1): void {
    this.#accounts.admit(`address:${networkOf(request.socket.remoteAddress)}`, cost);
  }

  async #authenticate(request: IncomingMessage): Promise<Principal> {
    try {
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
    } catch (error) {
      // Guessing is counted; who knows a credential is not slowed down by guesses from the same address.
      this.admitStranger(request);
      throw error;
    }
  }
}
