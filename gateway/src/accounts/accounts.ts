/**
 * Who asks, and who pays. A developer holds API keys and registers bots; a person is (bot id, Telegram
 * user id) and has one account behind both doors: init data of the Mini App, and the bot's own key with
 * a `Bombyx-User` header. Whatever proves identity is stored hashed.
 */
export interface Accounts {
  /**
   * Who stands behind an `Authorization: Bearer` value, and for whom they ask.
   * @param bombyxUser the `Bombyx-User` header: a Telegram user id, with a bot's key only.
   * @throws BombyxError UNAUTHENTICATED (unknown, revoked or expired), FORBIDDEN (the header without a bot's
   * key), BAD_REQUEST (the header is not a Telegram user id), BOT_NOT_REGISTERED (the bot was removed).
   */
  authenticate(bearer: string, bombyxUser?: string): Promise<Principal>;
  /**
   * Exchanges Telegram init data of a registered bot for an opaque token of 15 minutes.
   * @throws BombyxError BOT_NOT_REGISTERED, INIT_DATA_INVALID, INIT_DATA_EXPIRED (older than 10 minutes).
   */
  issueToken(request: { botId: number; initData: string }): Promise<IssuedToken>;

  /**
   * Makes an API key; `key` is shown here and never again. With `botId` it is that bot's key.
   * @throws BombyxError BAD_REQUEST (a developer's name has a bad form), BOT_NOT_REGISTERED (not this developer's bot).
   */
  createApiKey(request: { developer: string; label?: string; botId?: number }): Promise<IssuedKey>;
  listApiKeys(developer?: string): Promise<readonly ApiKeyInfo[]>;
  /** @throws BombyxError NOT_FOUND. Revoking again is no error. */
  revokeApiKey(id: string): Promise<void>;
  /** @throws BombyxError FORBIDDEN when the bot is another developer's. Registering again is no error. */
  registerBot(request: { developer: string; botId: number }): Promise<void>;

  /** A code that binds one node to `owner` (an account), once, for 15 minutes unless told otherwise. */
  createPairingCode(request: { owner: string; validForMs?: number }): Promise<PairingCode>;
  /**
   * Spends a pairing code and binds the node to the code's owner, both or neither. A node that is
   * bound already answers its record and leaves the code unspent.
   * @param from who tries (a remote address): tries are counted per `from`.
   * @throws BombyxError PAIRING_INVALID (unknown, spent or expired code), RATE_LIMITED (too many tries).
   */
  pairNode(request: NodeIdentity & { code: string; from: string }): Promise<NodeRecord>;
  findNode(node: string): Promise<NodeRecord | undefined>;
  /** Nodes of an owner, oldest first. */
  nodesOf(owner: string): Promise<readonly NodeRecord[]>;

  /**
   * Counts one request against the account's token bucket (in memory, of this process).
   * @throws BombyxError RATE_LIMITED with `retryAfterMs`.
   */
  admit(account: string, cost?: number): void;
}

export interface Principal {
  /** `developer:NAME` or `person:BOT:USER`. */
  readonly account: string;
  /** Ledger account that pays: the developer's sponsor account. */
  readonly payer: string;
  /** The developer's name. */
  readonly developer: string;
  /** `key`: a developer's key for itself. `person`: a token from init data. `bot`: a bot's key for a person. */
  readonly kind: "key" | "person" | "bot";
  /** The key is this bot's: it asks, and manages nothing of its developer's. */
  readonly botId?: number;
}

export interface IssuedToken {
  readonly token: string;
  readonly expiresAt: number;
  readonly account: string;
}

export interface ApiKeyInfo {
  readonly id: string;
  /** First characters of the key, for people to tell keys apart. */
  readonly prefix: string;
  readonly developer: string;
  readonly label: string;
  readonly botId?: number;
  readonly createdAt: number;
  readonly revokedAt?: number;
}

export interface IssuedKey extends ApiKeyInfo {
  readonly key: string;
}

export interface PairingCode {
  /** Twelve characters in groups of four, without letters that look like digits. */
  readonly code: string;
  readonly owner: string;
  readonly expiresAt: number;
}

export interface NodeIdentity {
  /** Node id, link public key: 32 bytes as hex. */
  readonly node: string;
  readonly linkPk: string;
  readonly payout: string;
}

export interface NodeRecord extends NodeIdentity {
  /** The account that paired it. */
  readonly owner: string;
  readonly pairedAt: number;
}
