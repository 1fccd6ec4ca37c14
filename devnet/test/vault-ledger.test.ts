import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vaultMessages } from "@bombyx/contracts/vault-messages";
import { ChainStore, TonEndpoints } from "@bombyx/gateway/chain";
import { openStore, sponsorName, VaultLedger } from "@bombyx/gateway/settlement";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type CrookedEndpoint, crookedEndpoint } from "./crooked-endpoint.ts";
import { gram, localTon, type TestTon } from "./local-ton.ts";
import "./patience.ts";

let folder: string;
let chain: TestTon;
let doors: readonly CrookedEndpoint[];
let store: ReturnType<typeof openStore>;
/** What the ledger was told, each key once. */
let deposits: Map<string, { account: string; nano: bigint }>;
let told: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bombyx-vault-ledger-"));
  chain = await localTon("over HTTP");
  doors = [await crookedEndpoint(chain.url), await crookedEndpoint(chain.url)];
  store = openStore({ dataDir: folder });
  deposits = new Map();
  told = 0;
});
afterEach(async () => {
  await store.close();
  await Promise.all(doors.map((door) => door[Symbol.asyncDispose]()));
  await chain[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const open = () =>
  VaultLedger.open({
    db: store.db,
    chain: new ChainStore(store.db),
    endpoints: new TonEndpoints({ urls: doors.map(({ url }) => url), wait: async () => {} }),
    vault: chain.settlement.vault.address,
    ledger: {
      deposit: async ({ key, account, nano }) => {
        told++;
        deposits.set(key, { account, nano });
      },
    },
    onRoot: () => {},
  });

const developer = (name: string) =>
  store.db
    .insertInto("api_keys")
    .values({ id: name, prefix: name, hash: name, developer: name, label: "", created_at: 0n })
    .execute();

/** A deposit from a stranger's wallet. */
async function sponsor(name: string, nano: bigint, value = nano + gram(0.05)): Promise<void> {
  const wallet = await chain.person(value + gram(1));
  const body = vaultMessages.sponsorDeposit(sponsorName(name), nano);
  await chain.send(wallet, { to: chain.settlement.vault.address, value, bounce: true, body });
  await chain.ton.settled();
}

it("credits a developer what the vault took, once, and the same when everything is read again", async () => {
  await developer("acme");
  await sponsor("acme", gram(2));
  await sponsor("acme", gram(3));
  await (await open()).poll();
  await (await open()).poll();
  const credited = [...deposits.values()];
  expect(credited).toEqual([
    { account: "sponsor:acme", nano: gram(2) },
    { account: "sponsor:acme", nano: gram(3) },
  ]);
  expect(told).toBe(2);
  // As after a crash between the ledger and the cursor.
  const before = new Map(deposits);
  await store.db.deleteFrom("chain_cursors").execute();
  await store.db.updateTable("sponsor_deposits").set({ account: null }).execute();
  await (await open()).poll();
  expect(deposits).toEqual(before);
});

it("credits nothing for a deposit that the vault refused", async () => {
  await developer("acme");
  // It says more than it brings.
  await sponsor("acme", gram(2), gram(0.5));
  await (await open()).poll();
  expect(deposits.size).toBe(0);
  await sponsor("acme", gram(1));
  await (await open()).poll();
  expect([...deposits.values()]).toEqual([{ account: "sponsor:acme", nano: gram(1) }]);
});

it("keeps a deposit for a developer that is not known yet until it is", async () => {
  await sponsor("newcomer", gram(1));
  const ledger = await open();
  await ledger.poll();
  expect(deposits.size).toBe(0);
  await developer("newcomer");
  await ledger.poll();
  expect([...deposits.values()]).toEqual([{ account: "sponsor:newcomer", nano: gram(1) }]);
});
