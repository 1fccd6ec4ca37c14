import { request } from "node:http";
import { ClientChannel, channelMessages } from "@bombyx/contracts/client-channel";
import { vaultMessages } from "@bombyx/contracts/vault-messages";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { builtExplorer } from "../src/chain/explorer/built-explorer.ts";
import { Explorer } from "../src/chain/explorer/explorer.ts";
import { type ExplorerHost, startExplorerHost } from "../src/chain/explorer/explorer-host.ts";
import { gram as inWords } from "../src/chain/explorer/gram.ts";
import type { Step, Waiting } from "../src/chain/explorer/report.ts";
import { chromiumPath } from "../src/house/chromium.ts";
import { launchChromium } from "../src/miniapp/phone.ts";
import { gram, localTon, type TestTon } from "./local-ton.ts";
import { seriousFaults } from "./miniapp-phone.ts";

const executable = chromiumPath();
/** A folder for pictures of what a person sees; none are taken without it. */
const pictures = process.env.BOMBYX_PICTURES;
const hour = 3_600_000;

let chain: TestTon;
let explorer: Explorer;
let host: ExplorerHost;
let refusedBy: string;

beforeAll(async () => {
  chain = await localTon("in process");
  const { settlement, ton, person, send } = chain;
  const { operator, vault } = settlement;
  const developer = await person(gram(20));
  const channel = ClientChannel.fromIdentity(
    { owner: developer.wallet.address, vault: vault.address, salt: 1n },
    settlement.code.clientChannel,
  );
  await send(developer, {
    to: channel.address,
    value: gram(5),
    init: channel.init ?? null,
    body: channelMessages.setKey(operator.ack.publicKey),
  });
  await send(operator.owner, {
    to: vault.address,
    value: gram(60),
    body: vaultMessages.sponsorDeposit(1n, gram(50)),
  });
  const commit = (epoch: number, committedNano: bigint) =>
    send(operator.committer, {
      to: vault.address,
      value: gram(0.1),
      body: vaultMessages.commitEpoch({
        epoch,
        depth: 1,
        root: Buffer.alloc(32, epoch),
        committedNano,
        units: BigInt(epoch) * 1_235n,
        requests: BigInt(epoch) * 40n,
        leavesHash: Buffer.alloc(32, 1),
        clientRoot: Buffer.alloc(32, 2),
      }),
    });
  await commit(1, gram(3));
  await ton.advance(24 * hour);
  await commit(2, gram(7.5));
  await send(developer, { to: vault.address, value: gram(0.1), body: vaultMessages.veto(2) });
  refusedBy = vault.address.toString();
  explorer = new Explorer(ton, settlement);
  host = await startExplorerHost({ explorer, page: builtExplorer(AbortSignal.timeout(60_000)), port: 0 });
});
afterAll(async () => {
  await host[Symbol.asyncDispose]();
  await chain[Symbol.asyncDispose]();
});

const flat = (one: Step | Waiting): (Step | Waiting)[] => [
  one,
  ...("waiting" in one ? [] : one.next.flatMap(flat)),
];

describe("the explorer's report", () => {
  it("tells messages, refusals and epochs in words", async () => {
    const { recent, epochs, vault } = await explorer.overview();
    const titles = recent.flatMap(flat).map(({ told }) => told.title);
    expect(titles).toContain("Opens the channel, or changes its voucher key");
    expect(titles.filter((title) => title === "Deploys")).toHaveLength(2);
    expect(titles).toContain("Deposits 50 GRAM as a sponsor");
    expect(titles).toContain("Commits epoch 1");
    expect(titles).toContain("Vetoes epoch 2");
    const refusals = recent.flatMap(flat).flatMap((one) => ("refused" in one && one.refused) || []);
    expect(refusals).toEqual(["NotGuardian (153): send this from the guardian's wallet"]);
    expect(epochs.map(({ epoch, state, committedNano }) => [epoch, state, committedNano])).toEqual([
      [2, "pending", "7500000000"],
      [1, "final", "3000000000"],
    ]);
    expect(Object.fromEntries(vault)["paid to nodes"]).toBe("0");
  });

  it("finds the tree from any of its transactions", async () => {
    const { recent } = await explorer.overview();
    const tree = recent[0] as Step;
    for (const one of flat(tree)) {
      if (!("waiting" in one)) expect(explorer.tree(one.hash)?.hash).toBe(tree.hash);
    }
    expect(explorer.tree("00".repeat(32))).toBeUndefined();
  });

  it("shows a message on its way", async () => {
    const { ton, person } = chain;
    ton.setBlockDelay(1_000);
    await person(gram(2));
    ton.setBlockDelay(0);
    const [first] = (await explorer.overview()).recent;
    expect(first).toMatchObject({ waiting: true, to: { name: "Faucet" } });
  });

  it("writes nano as GRAM", () => {
    expect(inWords(0n)).toBe("0 GRAM");
    expect(inWords(1_300_000n)).toBe("0.0013 GRAM");
    expect(inWords(1_234_567_000_000_001n)).toBe("1 234 567.000000001 GRAM");
    expect(inWords(-500_000_000n)).toBe("−0.5 GRAM");
  });
});

describe("the explorer's server", () => {
  const ask = (headers: Record<string, string>, method = "GET", path = "/api/overview", body?: string) =>
    new Promise<number>((resolve, reject) => {
      const { hostname, port, host: authority } = new URL(host.url);
      const asked = request(
        { hostname, port, path, method, headers: { host: authority, ...headers } },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode ?? 0);
        },
      );
      asked.once("error", reject);
      asked.end(body);
    });

  it("answers its own page and nobody else's", async () => {
    expect(await ask({})).toBe(200);
    expect(await ask({ host: "evil.example" })).toBe(403);
    expect(await ask({ origin: "https://evil.example" })).toBe(403);
    const give = JSON.stringify({ address: refusedBy, nano: "1" });
    expect(await ask({}, "POST", "/api/faucet", give)).toBe(403);
    expect(await ask({ "bombyx-playground": "1" }, "POST", "/api/faucet", give)).toBe(200);
    expect(await ask({ "bombyx-playground": "1" }, "POST", "/api/faucet", "{}")).toBe(422);
    expect(await ask({ "bombyx-playground": "1" }, "POST", "/api/advance", '{"ms":-1}')).toBe(422);
    const page = await fetch(host.url);
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
  });
});

describe.skipIf(executable === undefined)("the explorer's page", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium(executable ?? "");
  });
  afterAll(() => browser.close());

  it("shows a decoded transaction, gives from the faucet, and updates by itself", async () => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    const faults: string[] = [];
    page.on("console", (line) => line.type() === "error" && faults.push(line.text()));
    page.on("request", (asked) => {
      if (!asked.url().startsWith(host.url)) faults.push(`asked ${asked.url()}`);
    });
    await page.goto(`${host.url}/?theme=light`);
    const refused = page.getByRole("button", { name: /Refused Vetoes epoch 2/ });
    await refused.click();
    await page.getByText("NotGuardian (153)").waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    await picture(page, "explorer-light");

    const { owner } = chain.settlement.operator;
    const before = chain.ton.balance(owner.wallet.address);
    await page.getByLabel("To").fill(owner.wallet.address.toString());
    await page.getByLabel("GRAM").fill("12.5");
    await page.getByRole("button", { name: "Send from the faucet" }).click();
    await page.getByText("The faucet sent 12.5 GRAM.").waitFor();
    // Less the rent and the gas of taking it in.
    expect(chain.ton.balance(owner.wallet.address) - before).toBeGreaterThan(gram(12.49));
    await page.getByRole("button", { name: /Done Transfer to Operator 12.5 GRAM/ }).waitFor();

    await page.getByRole("searchbox").fill(chain.settlement.vault.address.toString());
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Vault" }).waitFor();
    await page.getByRole("button", { name: /Commits epoch 2/ }).click();
    await page.getByText("Details").first().click();
    await page.getByText("to nodes so far").waitFor();
    await picture(page, "explorer-account");
    await page.goto(`${host.url}/?theme=dark`);
    await page.getByRole("button", { name: /Opens the channel/ }).click();
    expect(await seriousFaults(page)).toEqual([]);
    await picture(page, "explorer-dark");
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await picture(page, "explorer-phone");
    expect(faults).toEqual([]);
    await page.close();
  });
});

async function picture(page: Page, name: string): Promise<void> {
  if (pictures) await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
}
