import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ErrorCode } from "@bombyx/protocol/wire";
import { validate3rd } from "@tma.js/init-data-node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { id32 } from "../../test/attempts.ts";
import { openLedger } from "../ledger/index.ts";
import { storeFile } from "../store/open-store.ts";
import { type Accounts, openAccounts, openStore, runAdmin, type Store, telegramKeys } from "./index.ts";

const botId = 7_342_037_359;
const start = 1_800_000_000_000;
let dataDir: string;
let store: Store;
let now: number;
let telegram: { publicKey: KeyObject; privateKey: KeyObject };
let accounts: Accounts;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "bombyx-accounts-"));
  store = openStore({ dataDir });
  now = start;
  telegram = generateKeyPairSync("ed25519");
  accounts = openAccounts({
    store,
    now: () => now,
    initDataKeys: [hexOf(telegram.publicKey)],
    requests: { perMinute: 60, burst: 3 },
    pairingTries: { perMinute: 1, burst: 3 },
  });
  await accounts.registerBot({ developer: "acme", botId });
});

afterEach(async () => {
  await store.close();
  rmSync(dataDir, { recursive: true });
});

const refusedWith = (code: ErrorCode) => expect.objectContaining({ name: "BombyxError", code });
const hexOf = (key: KeyObject) =>
  Buffer.from(key.export({ format: "jwk" }).x ?? "", "base64url").toString("hex");

/** Init data as Telegram makes it for bot `bot`. */
function initData(user: number, { bot = botId, at = now, key = telegram.privateKey } = {}): string {
  const fields = {
    user: JSON.stringify({ id: user, first_name: "Ada & Bob" }),
    chat_instance: "8134722200314281151",
    auth_date: `${Math.floor(at / 1_000)}`,
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
  const message = `${bot}:WebAppData\n${lines.sort().join("\n")}`;
  const signature = sign(null, Buffer.from(message), key).toString("base64url");
  return `${new URLSearchParams({ ...fields, hash: "00".repeat(32), signature })}`;
}

const botKey = async () => (await accounts.createApiKey({ developer: "acme", botId })).key;

describe("an API key", () => {
  it("speaks for its developer, whose sponsor account pays", async () => {
    const { key } = await accounts.createApiKey({ developer: "acme", label: "laptop" });
    expect(key).toMatch(/^bx_[A-Za-z0-9_-]{43}$/);
    expect(await accounts.authenticate(key)).toEqual({
      account: "developer:acme",
      payer: "sponsor:acme",
      developer: "acme",
      kind: "key",
    });
  });

  it("is nowhere at rest, and listed by its prefix alone", async () => {
    const { key, prefix, id } = await accounts.createApiKey({ developer: "acme", label: "laptop" });
    expect(await accounts.listApiKeys("acme")).toEqual([
      { id, prefix, developer: "acme", label: "laptop", createdAt: start },
    ]);
    expect(await accounts.listApiKeys("other")).toEqual([]);
    const files = [storeFile, `${storeFile}-wal`].map((file) => readFileSync(join(dataDir, file), "latin1"));
    expect(files.some((content) => content.includes(key))).toBe(false);
    expect(files.some((content) => content.includes(prefix))).toBe(true);
  });

  it("stops working when it is revoked, and its neighbour goes on", async () => {
    const [gone, stays] = [
      await accounts.createApiKey({ developer: "acme" }),
      await accounts.createApiKey({ developer: "acme" }),
    ];
    await accounts.revokeApiKey(gone.id);
    await accounts.revokeApiKey(gone.id);
    await expect(accounts.authenticate(gone.key)).rejects.toEqual(refusedWith("UNAUTHENTICATED"));
    expect(await accounts.authenticate(stays.key)).toMatchObject({ developer: "acme" });
    await expect(accounts.revokeApiKey("nothing")).rejects.toEqual(refusedWith("NOT_FOUND"));
  });

  it("is refused when a character is wrong, behind the prefix or before", async () => {
    const { key } = await accounts.createApiKey({ developer: "acme" });
    const other = (character: string) => (character === "A" ? "B" : "A");
    for (const at of [3, 20]) {
      const forged = key.slice(0, at) + other(key.charAt(at)) + key.slice(at + 1);
      await expect(accounts.authenticate(forged)).rejects.toEqual(refusedWith("UNAUTHENTICATED"));
    }
    for (const bearer of ["", "bx_", "bt_", key.slice(3), `${key}A`]) {
      await expect(accounts.authenticate(bearer)).rejects.toEqual(refusedWith("UNAUTHENTICATED"));
    }
  });

  it("is not made for a developer with a bad name, nor for a bot that is not theirs", async () => {
    for (const developer of ["", "Acme", "a b", "-a", "a".repeat(33)]) {
      await expect(accounts.createApiKey({ developer })).rejects.toEqual(refusedWith("BAD_REQUEST"));
    }
    await expect(accounts.createApiKey({ developer: "acme", botId: 1 })).rejects.toEqual(
      refusedWith("BOT_NOT_REGISTERED"),
    );
    await expect(accounts.createApiKey({ developer: "other", botId })).rejects.toEqual(
      refusedWith("BOT_NOT_REGISTERED"),
    );
  });
});

describe("a person", () => {
  it("has one account and one payer behind both doors", async () => {
    const { token, expiresAt, account } = await accounts.issueToken({ botId, initData: initData(99) });
    expect(expiresAt).toBe(start + 15 * 60_000);
    const byApp = await accounts.authenticate(token);
    const byBot = await accounts.authenticate(await botKey(), "99");
    expect(byApp).toEqual({
      account: `person:${botId}:99`,
      payer: "sponsor:acme",
      developer: "acme",
      kind: "person",
      person: { botId, userId: 99 },
      expiresAt,
    });
    const { expiresAt: _, ...withoutEnd } = byApp;
    expect(byBot).toEqual({ ...withoutEnd, kind: "bot", botId });
    expect(account).toBe(byApp.account);
  });

  it("is another account with another bot or another user id", async () => {
    await accounts.registerBot({ developer: "acme", botId: 2 });
    const of = async (bot: number, user: number) =>
      (await accounts.issueToken({ botId: bot, initData: initData(user, { bot }) })).account;
    expect(new Set([await of(botId, 99), await of(botId, 98), await of(2, 99)]).size).toBe(3);
  });

  it("of a foreign bot is refused, whichever bot is claimed", async () => {
    const foreign = initData(99, { bot: 555 });
    await expect(accounts.issueToken({ botId: 555, initData: foreign })).rejects.toEqual(
      refusedWith("BOT_NOT_REGISTERED"),
    );
    await expect(accounts.issueToken({ botId, initData: foreign })).rejects.toEqual(
      refusedWith("INIT_DATA_INVALID"),
    );
  });

  it("is refused with init data that Telegram did not sign", async () => {
    const genuine = initData(99);
    const forger = generateKeyPairSync("ed25519").privateKey;
    const withUser = new URLSearchParams(genuine);
    withUser.set("user", JSON.stringify({ id: 1, first_name: "Ada & Bob" }));
    const added = new URLSearchParams(genuine);
    added.append("start_param", "x");
    const unsigned = new URLSearchParams(genuine);
    unsigned.delete("signature");
    const short = new URLSearchParams(genuine);
    short.set("signature", "AAAA");
    const forged = [initData(99, { key: forger }), withUser, added, unsigned, short, "", "signature=AAAA"];
    for (const data of forged) {
      await expect(accounts.issueToken({ botId, initData: `${data}` })).rejects.toEqual(
        refusedWith("INIT_DATA_INVALID"),
      );
    }
    expect(await accounts.issueToken({ botId, initData: genuine })).toHaveProperty("token");
  });

  it("is refused with init data that names a field twice", async () => {
    const twice = `${initData(99)}&user=${encodeURIComponent('{"id":1,"first_name":"Eve"}')}`;
    await expect(accounts.issueToken({ botId, initData: twice })).rejects.toEqual(
      refusedWith("INIT_DATA_INVALID"),
    );
  });

  it("is refused with init data older than ten minutes or from the future", async () => {
    const issue = (at: number) => accounts.issueToken({ botId, initData: initData(99, { at }) });
    expect(await issue(start - 600_000)).toHaveProperty("token");
    await expect(issue(start - 601_000)).rejects.toEqual(refusedWith("INIT_DATA_EXPIRED"));
    await expect(issue(start + 301_000)).rejects.toEqual(refusedWith("INIT_DATA_INVALID"));
  });

  it("is forgotten when the token's 15 minutes are over", async () => {
    const { token } = await accounts.issueToken({ botId, initData: initData(99) });
    now = start + 15 * 60_000 - 1;
    expect(await accounts.authenticate(token)).toMatchObject({ kind: "person" });
    now++;
    await expect(accounts.authenticate(token)).rejects.toEqual(refusedWith("UNAUTHENTICATED"));
  });

  it("is not spoken for by a key that is no bot's, nor by another person's token", async () => {
    const { key } = await accounts.createApiKey({ developer: "acme" });
    const { token } = await accounts.issueToken({ botId, initData: initData(98) });
    for (const bearer of [key, token]) {
      await expect(accounts.authenticate(bearer, "99")).rejects.toEqual(refusedWith("FORBIDDEN"));
    }
    expect(await accounts.authenticate(await botKey(), "99")).toMatchObject({ kind: "bot" });
  });

  it("is named by a Telegram user id and nothing else", async () => {
    const key = await botKey();
    for (const user of ["", "0", "-1", "1.5", "0x10", "99 ", "1e3", "9".repeat(16), "99:1"]) {
      await expect(accounts.authenticate(key, user)).rejects.toEqual(refusedWith("BAD_REQUEST"));
    }
  });

  it("is judged by Telegram's own key unless told otherwise, as the library judges", async () => {
    // Published by the authors of tma.js as an example: signed by Telegram's production key for this bot.
    const published =
      "user=%7B%22id%22%3A279058397%2C%22first_name%22%3A%22Vladislav%20%2B%20-%20%3F%20%5C%2F%22%2C%22last_name%22%3A%22Kibenko%22%2C%22username%22%3A%22vdkfrost%22%2C%22language_code%22%3A%22ru%22%2C%22is_premium%22%3Atrue%2C%22allows_write_to_pm%22%3Atrue%2C%22photo_url%22%3A%22https%3A%5C%2F%5C%2Ft.me%5C%2Fi%5C%2Fuserpic%5C%2F320%5C%2F4FPEE4tmP3ATHa57u6MqTDih13LTOiMoKoLDRG4PnSA.svg%22%7D&chat_instance=8134722200314281151&chat_type=private&auth_date=1733584787&hash=2174df5b000556d044f3f020384e879c8efcab55ddea2ced4eb752e93e7080d6&signature=zL-ucjNyREiHDE8aihFwpfR9aggP2xiAo3NSpfe-p7IbCisNlDKlo7Kb6G4D0Ao2mBrSgEk4maLSdv6MLIlADQ";
    await expect(validate3rd(published, botId, { expiresIn: 0 })).resolves.toBeUndefined();
    const at = 1_733_584_787_000;
    const asShipped = openAccounts({ store, now: () => at });
    const { account } = await asShipped.issueToken({ botId, initData: published });
    expect(account).toBe(`person:${botId}:279058397`);
    const testWorld = openAccounts({ store, now: () => at, initDataKeys: [telegramKeys.test] });
    await expect(testWorld.issueToken({ botId, initData: published })).rejects.toEqual(
      refusedWith("INIT_DATA_INVALID"),
    );
  });
});

it("registers a bot once, for one developer", async () => {
  await accounts.registerBot({ developer: "acme", botId });
  await expect(accounts.registerBot({ developer: "other", botId })).rejects.toEqual(refusedWith("FORBIDDEN"));
});

describe("a pairing code", () => {
  const identity = (name: string) => ({ node: id32(name), linkPk: id32(`link ${name}`), payout: "EQabc" });
  const pair = (code: string, name = "node", from = "10.0.0.1") =>
    accounts.pairNode({ ...identity(name), code, from });

  it("binds one node to its owner, as people type it", async () => {
    const { code, expiresAt } = await accounts.createPairingCode({ owner: "developer:acme" });
    expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$/);
    expect(expiresAt).toBe(start + 15 * 60_000);
    const typed = code.toLowerCase().replaceAll("-", " ").replaceAll("0", "o").replaceAll("1", "l");
    const { fresh, ...record } = await pair(typed);
    expect(fresh).toBe(true);
    expect(record).toEqual({
      ...identity("node"),
      owner: "developer:acme",
      pairedAt: start,
      machine: expect.any(String),
    });
    expect(await accounts.findNode(id32("node"))).toEqual(record);
    expect(await accounts.nodesOf("developer:acme")).toEqual([record]);
    expect(await accounts.findNode(id32("other"))).toBeUndefined();
  });

  it("is spent by one node; that node may come again, another may not", async () => {
    const { code } = await accounts.createPairingCode({ owner: "developer:acme" });
    const record = await pair(code);
    expect(await pair(code)).toEqual({ ...record, fresh: false });
    await expect(pair(code, "second")).rejects.toEqual(refusedWith("PAIRING_SPENT"));
  });

  it("binds one of two nodes that use it at the same time", async () => {
    const { code } = await accounts.createPairingCode({ owner: "developer:acme" });
    const outcomes = await Promise.allSettled([pair(code, "a"), pair(code, "b")]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(await accounts.nodesOf("developer:acme")).toHaveLength(1);
  });

  it("ends after its time", async () => {
    const { code } = await accounts.createPairingCode({ owner: "developer:acme", validForMs: 1_000 });
    now = start + 1_000;
    await expect(pair(code)).rejects.toEqual(refusedWith("PAIRING_EXPIRED"));
  });

  it("cannot be guessed: failed tries are counted per address, good ones are not", async () => {
    for (let node = 0; node < 5; node++) {
      const { code } = await accounts.createPairingCode({ owner: "developer:acme" });
      await pair(code, `rack ${node}`);
    }
    for (let n = 0; n < 3; n++) {
      await expect(pair("0000-0000-0000")).rejects.toEqual(refusedWith("PAIRING_INVALID"));
    }
    const { code } = await accounts.createPairingCode({ owner: "developer:acme" });
    await expect(pair(code)).rejects.toMatchObject({ code: "RATE_LIMITED", retryAfterMs: 60_000 });
    expect(await pair(code, "node", "10.0.0.2")).toMatchObject({ owner: "developer:acme" });
  });

  it("pairs its node while many others guess", async () => {
    const { code } = await accounts.createPairingCode({ owner: "developer:acme" });
    for (let address = 0; address < 50; address++) {
      await expect(pair("0000-0000-0000", "guesser", `192.0.2.${address}`)).rejects.toEqual(
        refusedWith("PAIRING_INVALID"),
      );
    }
    expect(await pair(code)).toMatchObject({ owner: "developer:acme", fresh: true });
  });

  it("is not at rest", async () => {
    const { code } = await accounts.createPairingCode({ owner: "developer:findable" });
    const content = readFileSync(join(dataDir, `${storeFile}-wal`), "latin1");
    expect(content).toContain("developer:findable");
    expect(content).not.toContain(code);
    expect(content).not.toContain(code.replaceAll("-", ""));
  });
});

describe("the rate limit", () => {
  it("is per account, says when to come back, and keeps that promise", () => {
    for (let n = 0; n < 3; n++) accounts.admit("developer:acme");
    expect(() => accounts.admit("developer:acme")).toThrow(
      expect.objectContaining({ code: "RATE_LIMITED", retryAfterMs: 1_000 }),
    );
    accounts.admit("developer:other");
    now += 1_000;
    accounts.admit("developer:acme");
    expect(() => accounts.admit("developer:acme")).toThrow(expect.objectContaining({ code: "RATE_LIMITED" }));
  });
});

describe("the rate of a bot", () => {
  it("bounds what its key asks for all its persons together, and leaves other bots alone", () => {
    for (let n = 0; n < 60; n++) accounts.admitBot(1);
    expect(() => accounts.admitBot(1)).toThrow(expect.objectContaining({ code: "RATE_LIMITED" }));
    accounts.admitBot(2);
  });
});

describe("the operator's commands", () => {
  const run = async (...argv: string[]) => {
    let written = "";
    await runAdmin(argv, { dataDir, now: () => now, stdout: { write: (text) => (written += text) } });
    return written;
  };
  const runJson = async (...argv: string[]): Promise<Record<string, unknown>> =>
    JSON.parse(await run(...argv, "--json"));

  it("make a key with an allowance, once, beside a running gateway", async () => {
    const ledger = await openLedger({ dataDir, takeOverAt: now });
    const first = await runJson("keys", "create", "--developer", "acme", "--allowance", "5000");
    expect(first).toMatchObject({ developer: "acme", account: "sponsor:acme", availableNano: "5000" });
    expect(await accounts.authenticate(`${first.key}`)).toMatchObject({ payer: "sponsor:acme" });
    expect(await runJson("keys", "create", "--developer", "acme", "--allowance", "5000")).toMatchObject({
      availableNano: "5000",
    });
    await expect(run("keys", "create", "--developer", "acme", "--allowance", "6000")).rejects.toEqual(
      refusedWith("ALREADY_USED"),
    );
    expect(
      await runJson("sponsors", "fund", "--developer", "acme", "--nano", "70", "--key", "march"),
    ).toMatchObject({ availableNano: "5070" });
    expect(await ledger.balance("sponsor:acme")).toEqual({ availableNano: 5_070n, reservedNano: 0n });
    await ledger.close();
  });

  it("list and revoke keys without ever showing one again", async () => {
    const { key, id } = await runJson("keys", "create", "--developer", "acme", "--label", "laptop");
    const listed = await run("keys", "list");
    expect(listed).toContain(`${id}`);
    expect(listed).toContain("laptop");
    expect(listed).not.toContain(`${key}`);
    await run("keys", "revoke", `${id}`);
    expect(await run("keys", "list", "--developer", "acme")).toContain("revoked");
    await expect(accounts.authenticate(`${key}`)).rejects.toEqual(refusedWith("UNAUTHENTICATED"));
  });

  it("make pairing codes and register bots", async () => {
    const { code, owner } = await runJson("pairing", "create", "--owner", "ada", "--minutes", "60");
    expect(owner).toBe("owner:ada");
    now += 59 * 60_000;
    const node = { node: id32("node"), linkPk: id32("link"), payout: "EQabc" };
    expect(await accounts.pairNode({ ...node, code: `${code}`, from: "x" })).toMatchObject({ owner });
    expect(await run("bots", "register", "--developer", "acme", "--bot", "77")).toContain("77");
    const { botId } = await runJson("keys", "create", "--developer", "acme", "--bot", "77");
    expect(botId).toBe(77);
  });

  it("name the option that is missing or wrong", async () => {
    await expect(run("keys", "create")).rejects.toMatchObject({ code: "BAD_REQUEST", field: "--developer" });
    await expect(run("bots", "register", "--developer", "acme", "--bot", "x")).rejects.toMatchObject({
      code: "BAD_REQUEST",
      field: "--bot",
    });
    await expect(run("keys", "create", "--developer", "acme", "--allowance", "1.5")).rejects.toMatchObject({
      field: "--allowance",
    });
    await expect(run("keys", "create", "--nonsense")).rejects.toThrow(/--nonsense/);
    await expect(run("keys", "melt")).rejects.toThrow(/keys melt/);
  });
});

it("keeps everything over a restart", async () => {
  const { key } = await accounts.createApiKey({ developer: "acme" });
  await store.close();
  store = openStore({ dataDir });
  accounts = openAccounts({ store, now: () => now });
  expect(await accounts.authenticate(key)).toMatchObject({ developer: "acme" });
});
