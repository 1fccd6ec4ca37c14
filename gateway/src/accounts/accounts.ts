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

  /**
   * A code that binds one node to `owner` (an account), once, for 15 minutes unless told otherwise. With
   * `machine` it pairs that machine, in place of its former node, and ends the codes made for it before.
   * @throws BombyxError NOT_FOUND (no such machine of this owner), RATE_LIMITED (with `machine`: twelve a minute).
   */
  createPairingCode(request: { owner: string; machine?: string; validForMs?: number }): Promise<PairingCode>;
  /**
   * Spends a pairing code and binds the node to the code's owner, both or neither. A node that is bound
   * already answers its record and leaves the code unspent, unless the code is for another machine of its owner.
   * @param from who tries (a remote address): tries are counted per `from`.
   * @throws BombyxError PAIRING_INVALID (unknown code), PAIRING_EXPIRED, PAIRING_SPENT, NODE_REMOVED (its owner
   * removed this node, and the code is not a new one), ALREADY_USED (the node is another owner's),
   * RATE_LIMITED (too many tries).
   */
  pairNode(request: NodeIdentity & { code: string; from: string }): Promise<PairedNode>;
  findNode(node: string): Promise<NodeRecord | undefined>;
  /** Nodes of an owner, oldest first; none that was removed. */
  nodesOf(owner: string): Promise<readonly NodeRecord[]>;
  /** When nodes were last linked or unlinked; one commit for all of them. */
  sawNodes(nodes: ReadonlyMap<string, number>): Promise<void>;

  /**
   * Registers hardware, and makes its first pairing code.
   * @throws BombyxError RATE_LIMITED (twelve a minute), MACHINE_LIMIT (64 machines).
   */
  registerMachine(
    owner: string,
    machine: { gpu: string; vramMib: number; hoursPerDay: number; name?: string },
  ): Promise<{ machine: MachineRecord; pairing: PairingCode }>;
  /** Oldest first. */
  machinesOf(owner: string): Promise<readonly MachineRecord[]>;
  /** @throws BombyxError NOT_FOUND. */
  machine(owner: string, id: string): Promise<MachineRecord>;
  /** @throws BombyxError NOT_FOUND. */
  renameMachine(owner: string, id: string, name: string): Promise<MachineRecord>;
  /** Forgets a machine; its node is refused from now on. @throws BombyxError NOT_FOUND. */
  removeMachine(owner: string, id: string): Promise<MachineRecord>;

  /**
   * Counts one request against the account's token bucket (in memory, of this process).
   * @throws BombyxError RATE_LIMITED with `retryAfterMs`.
   */
  admit(account: string, cost?: number): void;

  /**
   * Counts one request of a bot's key for a person against all that this bot asks: its key names whom it likes, so
   * the persons' own rates do not bound it.
   * @throws BombyxError RATE_LIMITED with `retryAfterMs`.
   */
  admitBot(botId: number): void;
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
  /** Of a person: who it is at which bot. */
  readonly person?: { readonly botId: number; readonly userId: number };
  /** The bot's key asked, for itself or for a person: it manages nothing of its developer's. */
  readonly botId?: number;
  /** When the token that asked ends; a key has no end. */
  readonly expiresAt?: number;
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
  /** The machine that it is; what its owner calls it. */
  readonly machine?: string;
  readonly name?: string;
  /** Its owner removed it. */
  readonly removedAt?: number;
}

export interface PairedNode extends NodeRecord {
  /** The code was spent on it now. */
  readonly fresh: boolean;
  /** The node whose place it took. */
  readonly replaced?: string;
}

/** Hardware that an owner registered, in the owner's words. */
export interface MachineRecord {
  readonly id: string;
  readonly owner: string;
  readonly name?: string;
  readonly gpu?: string;
  readonly vramMib?: number;
  readonly hoursPerDay?: number;
  readonly registeredAt: number;
  readonly node?: string;
  readonly pairedAt?: number;
  /** Last linked or unlinked. */
  readonly seenAt?: number;
  /** Why the gateway keeps its node out. */
  readonly quarantine?: string;
  /** A code waits for a node until then. */
  readonly codeExpiresAt?: number;
}
