import { BombyxError } from "@bombyx/protocol/wire";
import { sponsorAccount } from "../ledger/money.ts";
import type { Store } from "../store/open-store.ts";
import type { Accounts, Principal } from "./accounts.ts";
import { ApiKeys, apiKeyKind } from "./api-keys.ts";
import { initDataKey, telegramKeys } from "./init-data.ts";
import { Machines } from "./machines.ts";
import { assertDeveloper, assertTelegramId, developerAccount } from "./names.ts";
import { Pairing } from "./pairing.ts";
import { Persons, personTokenKind } from "./persons.ts";
import { type Rate, RateLimiter } from "./rate-limit.ts";

export interface AccountsOptions {
  readonly store: Pick<Store, "db" | "database">;
  readonly now?: () => number;
  /** Ed25519 keys (hex) that init data may be signed with. @default Telegram's production key */
  readonly initDataKeys?: readonly string[];
  /** Requests per account. @default 1,200 a minute, 600 at once */
  readonly requests?: Rate;
  /** Failed pairing tries per address. @default 5 a minute, 10 at once; of everybody together 1,200 times that */
  readonly pairingTries?: Rate;
}

const defaultRequests: Rate = { perMinute: 1_200, burst: 600 };
/** How many persons' worth of requests one bot's key may make. */
const personsOfBot = 20;
const defaultPairingTries: Rate = { perMinute: 5, burst: 10 };
/** New pairing codes of one owner's machines. */
const machineCodes: Rate = { perMinute: 12, burst: 24 };
/**
 * How many addresses' worth of failed pairing tries all together may make. Few would let a handful of guessers keep
 * every new owner out; at 6,000 a minute, one of 100,000 waiting codes of 60 bits is still guessed once in three
 * thousand years.
 */
const pairingAddresses = 1_200;

/** @throws TypeError when a key of `initDataKeys` is not one. */
export function openAccounts({
  store,
  now = Date.now,
  initDataKeys = [telegramKeys.production],
  requests = defaultRequests,
  pairingTries = defaultPairingTries,
}: AccountsOptions): Accounts {
  const { db } = store;
  const keys = new ApiKeys(store, now);
  const persons = new Persons(db, initDataKeys.map(initDataKey), now);
  const pairing = new Pairing(db, {
    tries: new RateLimiter("failed pairing tries", pairingTries, now),
    allTries: new RateLimiter("failed pairing tries", times(pairingTries, pairingAddresses), now),
    now,
  });
  const machines = new Machines(db, {
    pairing,
    codes: new RateLimiter("new pairing codes", machineCodes, now),
    now,
  });
  const limiter = new RateLimiter("requests", requests, now);
  const botLimiter = new RateLimiter("requests of this bot", times(requests, personsOfBot), now);

  async function byKey(secret: string, bombyxUser?: string): Promise<Principal | undefined> {
    const key = keys.find(secret);
    if (key === undefined) return undefined;
    const { developer, botId } = key;
    if (bombyxUser === undefined) {
      const account = developerAccount(developer);
      const payer = sponsorAccount(developer);
      return { account, payer, developer, kind: "key", ...(botId !== undefined && { botId }) };
    }
    if (botId === undefined) throw notABot();
    if (!/^[1-9][0-9]{0,15}$/.test(bombyxUser)) {
      throw new BombyxError("BAD_REQUEST", "Bombyx-User takes a Telegram user id in decimal digits.", {
        field: "Bombyx-User",
      });
    }
    assertTelegramId(Number(bombyxUser), "Bombyx-User");
    return { ...(await persons.person(botId, Number(bombyxUser), "bot")), botId };
  }

  return {
    async authenticate(bearer, bombyxUser) {
      let principal: Principal | undefined;
      if (bearer.startsWith(`${apiKeyKind}_`)) principal = await byKey(bearer, bombyxUser);
      else if (bearer.startsWith(`${personTokenKind}_`)) {
        principal = await persons.findToken(bearer);
        if (principal !== undefined && bombyxUser !== undefined) throw notABot();
      }
      if (principal !== undefined) return principal;
      throw new BombyxError(
        "UNAUTHENTICATED",
        "The API key or token is unknown, revoked or expired: send a valid one as Authorization: Bearer.",
        { field: "Authorization" },
      );
    },
    async issueToken({ botId, initData }) {
      return persons.issueToken(botId, initData);
    },
    async createApiKey({ developer, label = "", botId }) {
      assertDeveloper(developer);
      if (botId !== undefined && (await persons.developerOf(botId)) !== developer) {
        throw new BombyxError("BOT_NOT_REGISTERED", `Bot ${botId} is not registered by ${developer}.`, {
          field: "botId",
        });
      }
      return keys.create(developer, label, botId);
    },
    listApiKeys: (developer) => keys.list(developer),
    revokeApiKey: (id) => keys.revoke(id),
    async registerBot({ developer, botId }) {
      assertDeveloper(developer);
      assertTelegramId(botId, "botId");
      await persons.registerBot(developer, botId);
    },
    createPairingCode: ({ owner, machine, validForMs }) =>
      machine === undefined ? pairing.createCode(owner, { validForMs }) : machines.newCode(owner, machine),
    pairNode: (request) => pairing.pair(request),
    findNode: (node) => pairing.find(node),
    nodesOf: (owner) => pairing.nodesOf(owner),
    sawNodes: (nodes) => pairing.saw(nodes),
    registerMachine: (owner, machine) => machines.register(owner, machine),
    machinesOf: (owner) => machines.of(owner),
    machine: (owner, id) => machines.find(owner, id),
    renameMachine: (owner, id, name) => machines.rename(owner, id, name),
    removeMachine: (owner, id) => machines.remove(owner, id),
    admit: (account, cost) => limiter.take(account, cost),
    admitBot: (botId) => botLimiter.take(`bot:${botId}`),
  };
}

const times = ({ perMinute, burst }: Rate, factor: number): Rate => ({
  perMinute: perMinute * factor,
  burst: burst * factor,
});

const notABot = () =>
  new BombyxError("FORBIDDEN", "Bombyx-User is for a registered bot's key: this key is not one.", {
    field: "Bombyx-User",
  });
