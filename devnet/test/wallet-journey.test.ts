import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page, Request, Route } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundledModel } from "../src/config.ts";
import { type Devnet, startDevnet } from "../src/devnet.ts";
import { chromiumPath } from "../src/house/chromium.ts";
import { launchChromium, phoneScreen } from "../src/miniapp/phone.ts";
import type { LocalWallet } from "../src/wallet/local-wallet.ts";
import { seriousFaults } from "./miniapp-phone.ts";
import "./patience.ts";
import { Terminal } from "./terminal.ts";

const executable = chromiumPath();
const day = 24 * 3_600_000;

/** An owner's way from a wallet to money in it, with every way in which a wallet or the chain can say no. */
describe.skipIf(executable === undefined)("an owner's wallet", () => {
  let directory: string;
  let devnet: Devnet;
  let browser: Browser;
  let page: Page;
  let wallet: LocalWallet;
  let terminal: Terminal;
  const refused: string[] = [];
  const foreign: string[] = [];

  const open = async (): Promise<Page> => {
    const { townspeople } = devnet;
    const [person] = townspeople?.persons ?? [];
    if (!townspeople || !person) throw new Error("nobody is there");
    const context = await browser.newContext(phoneScreen);
    await context.route(
      ({ hostname }) => hostname !== "127.0.0.1",
      (route) => {
        foreign.push(route.request().url());
        return route.abort();
      },
    );
    const opened = await context.newPage();
    opened.on("console", (message) => {
      if (/Content Security Policy/.test(message.text())) refused.push(message.text());
    });
    await opened.goto((await person.privateChat(townspeople.bot).openMiniApp({ version: "9.1" })).url);
    return opened;
  };
  const ton = () => devnet.ton.open();
  const balance = async () => (await ton()).balance(wallet.address);
  const tab = (name: string) => page.getByRole("link", { name }).click();
  const button = (name: string | RegExp) => page.getByRole("button", { name });

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "bombyx-wallet-"));
    [devnet, browser] = await Promise.all([
      startDevnet({
        stateRoot: join(directory, ".devnet"),
        nodes: 1,
        slots: 4,
        pace: 0,
        model: { path: bundledModel, id: "spark" },
        ports: { gateway: 0, metrics: 0, chain: [0, 0], proxy: 0 },
        facePorts: { playground: 0, miniapp: 0, botApi: 0 },
        allowanceNano: "100000000000",
        epochMs: 1_000,
        pollMs: 300,
      }),
      launchChromium(executable ?? ""),
    ]);
    terminal = new Terminal(devnet.state.root);
    if (!devnet.wallet) throw new Error("this devnet has no wallet");
    wallet = devnet.wallet;
    page = await open();
  });
  afterAll(async () => {
    await terminal?.[Symbol.asyncDispose]();
    await browser?.close();
    await devnet?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it("is not connected when its holder declines, when it is on another network, or while it is silent", async () => {
    await tab("Wallet");
    await page.getByText("The sponsor's promise").waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    await button("Connect a wallet").click();
    await page.getByRole("heading", { name: "Connect a wallet" }).waitFor();
    expect(page.url()).toContain("/wallet.html");
    expect(await seriousFaults(page)).toEqual([]);

    wallet.verdict = "reject";
    await button("Devnet wallet").click();
    await page.getByRole("alert").getByText("You declined in the wallet").waitFor();
    expect(await seriousFaults(page)).toEqual([]);

    wallet.verdict = "approve";
    const { network } = wallet;
    wallet.network = "-3";
    await button("Ask again").click();
    await page.getByRole("alert").getByText("The wallet is on another network").waitFor();
    wallet.network = network;

    wallet.verdict = "silence";
    await button("Ask again").click();
    await page.getByRole("status").getByText("Waiting for Devnet wallet").waitFor();
    await button("Cancel").click();
    await button("Devnet wallet").waitFor();
  });

  it("is connected by its proof, and shown as people write it", async () => {
    wallet.verdict = "approve";
    await button("Devnet wallet").click();
    await page.getByRole("status").getByText("Your wallet is connected").waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    await button("Back to Bombyx").click();
    await page.getByText("You have proven that it is yours").waitFor();
    const friendly = wallet.address.toString({ bounceable: false, testOnly: true });
    await page.getByText(`${friendly.slice(0, 4)}…${friendly.slice(-4)}`).waitFor();
    expect(await seriousFaults(page)).toEqual([]);
  });

  it("stands beside receipts that this device judges itself, and one that was bent does not hold", async () => {
    await tab("Chat");
    await page.locator(".composer textarea").fill("What is the capital of France?");
    await page.locator(".composer .send-button").click();
    await page.locator("article.answer:not([aria-busy=true])").waitFor({ timeout: 30_000 });
    await tab("Wallet");
    const receipt = page.locator("button.row", { hasText: "units" }).first();
    await receipt.click();
    const sheet = page.getByRole("dialog");
    await sheet.getByRole("button", { name: "Verify on this device" }).click();
    await sheet.getByRole("status").getByText("The receipt holds").waitFor();
    await sheet.getByText("Signed by the machine's attested key").waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    await sheet.getByRole("button", { name: "Close" }).click();

    const asksForReceipt = (url: URL) => /^\/v1\/account\/receipts\/[0-9]+$/.test(url.pathname);
    await page.route(asksForReceipt, async (route) => {
      const response = await route.fetch();
      const told = (await response.json()) as { signed: { receipt: { units: number } } };
      told.signed.receipt.units += 64;
      await route.fulfill({ response, json: told });
    });
    await receipt.click();
    await sheet.getByRole("button", { name: "Verify on this device" }).click();
    await sheet.getByRole("alert").getByText("The receipt does not hold").waitFor();
    await page.unroute(asksForReceipt);
    await sheet.getByRole("button", { name: "Close" }).click();
  });

  it("is paid what a machine earned, less exactly the fee that is shown", async () => {
    // A machine whose payout is this wallet.
    await tab("Earn");
    await button("Get the pairing code").click();
    const sheet = page.getByRole("dialog");
    const command = (await sheet.locator("code").first().textContent()) ?? "";
    expect(command).toContain(`--payout ${wallet.address.toString({ bounceable: false, testOnly: true })}`);
    const node = terminal.run(command);
    await expect.poll(node.printed, { timeout: 60_000 }).toMatch(/✓ Attested/);
    await sheet.getByText("Online and verified, done").waitFor({ timeout: 30_000 });
    for (const other of devnet.nodes) {
      other.kill("SIGKILL");
      await other.exited;
    }
    // What the others earned is final then: one root is pending at a time, and the next is this machine's.
    await (await ton()).advance(day);
    const ask = async () =>
      (
        await fetch(`${devnet.proxy.url}/chat/completions`, {
          method: "POST",
          headers: { authorization: `Bearer ${devnet.apiKey}`, "content-type": "application/json" },
          body: JSON.stringify({
            model: "spark",
            max_tokens: 64,
            messages: [{ role: "user", content: "What is the capital of France?" }],
          }),
        })
      ).status;
    await expect.poll(ask, { timeout: 30_000 }).toBe(200);
    await button("Close").click();

    // Committed, pending, and a day later final.
    const pending = page.locator(".figures > div", { hasText: "Pending" }).locator("dd");
    await expect.poll(() => pending.textContent(), { timeout: 30_000 }).toMatch(/[1-9]/);
    expect(await seriousFaults(page)).toEqual([]);
    await (await ton()).advance(day);
    await page.getByText(/GRAM are yours/).waitFor({ timeout: 30_000 });
    expect(await seriousFaults(page)).toEqual([]);
    await button("Pay out").click();
    await button(/^Claim .* GRAM$/).waitFor();
    expect(await seriousFaults(page)).toEqual([]);

    wallet.verdict = "reject";
    const before = await balance();
    await button(/^Claim .* GRAM$/).click();
    await page.getByRole("alert").getByText("You declined in the wallet").waitFor();
    expect(await balance()).toBe(before);

    wallet.verdict = "silence";
    await button(/^Claim .* GRAM$/).click();
    await page.getByText("Agree in Devnet wallet").waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    // Left and come back to: the request that nobody answered moved nothing.
    await page.reload();
    wallet.verdict = "approve";
    await button(/^Claim .* GRAM$/).click();
    await page.getByRole("status").getByText("It is in your wallet").waitFor({ timeout: 30_000 });
    expect(await seriousFaults(page)).toEqual([]);
    const nano = async (row: string) => {
      const text = (await page.locator(".row", { hasText: row }).locator(".row-value").textContent()) ?? "";
      const [whole = "0", rest = ""] = text.replace(/[^0-9.]/g, "").split(".");
      return BigInt(whole) * 1_000_000_000n + BigInt(rest.padEnd(9, "0"));
    };
    const paid = await nano("Paid out");
    expect(paid).toBeGreaterThan(0n);
    expect(await balance()).toBe(before + paid - (await nano("Network fee")));
  });

  it("has nothing to claim a second time, and a proof that was changed is refused by the vault", async () => {
    let earnings:
      | { nodes: { finalNano: string; paidNano: string; proof: { leaf: { earnedNano: string } } | null }[] }
      | undefined;
    const keep = async (route: Route) => {
      const response = await route.fetch();
      earnings = (await response.json()) as typeof earnings;
      await route.fulfill({ response });
    };
    const asksForEarnings = (url: URL) => url.pathname === "/v1/owner/earnings";
    await page.route(asksForEarnings, keep);
    await page.reload();
    await page.getByText("Nothing to claim").waitFor();
    await expect
      .poll(() => earnings?.nodes.some(({ paidNano, proof }) => proof !== null && paidNano !== "0"))
      .toBe(true);
    await page.unroute(asksForEarnings, keep);

    // A gateway that promises more than it committed.
    const lie = async (route: Route, _request: Request) => {
      const response = await route.fetch();
      const told = (await response.json()) as NonNullable<typeof earnings>;
      for (const node of told.nodes) {
        if (!node.proof) continue;
        node.finalNano = String(BigInt(node.finalNano) + 1_000_000n);
        node.proof.leaf.earnedNano = String(BigInt(node.proof.leaf.earnedNano) + 1_000_000n);
      }
      await route.fulfill({ response, json: told });
    };
    await page.route(asksForEarnings, lie);
    const before = await balance();
    await page.reload();
    await button(/^Claim .* GRAM$/).click();
    await page.getByRole("alert").getByText("The contract refused").waitFor({ timeout: 30_000 });
    await page.getByText(/code 163/).waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    expect(before - (await balance())).toBeLessThan(20_000_000n);
    await page.unroute(asksForEarnings, lie);
  });

  it("is asked by hand in the playground, and answered there", async () => {
    wallet.verdict = "ask";
    const desk = await browser.newPage({ viewport: { width: 1360, height: 900 } });
    await desk.goto(`${devnet.playground.url}/?lang=en&theme=light`);
    const phone = desk.frameLocator("iframe");
    await phone.getByRole("link", { name: "Wallet" }).click();
    await phone.getByRole("button", { name: "Connect another one" }).click();
    await phone.getByRole("button", { name: "Devnet wallet" }).click();
    const dialog = desk.getByRole("dialog");
    await dialog.getByText("Devnet wallet: connect?").waitFor();
    expect(await seriousFaults(desk)).toEqual([]);
    await dialog.getByRole("button", { name: "Reject" }).click();
    await phone.getByText("You declined in the wallet").waitFor();
    await phone.getByRole("button", { name: "Ask again" }).click();
    await dialog.getByRole("button", { name: "Approve" }).click();
    await phone.getByText("Your wallet is connected").waitFor();
    await desk.close();
  });

  it("is forgotten when its holder says so; no page of it has asked a stranger, or was stopped by its own policy", async () => {
    await page.goto(page.url().replace(/wallet\.html.*$/, "?tab=wallet"));
    await button("Forget it").click();
    await button("Forget it").last().click();
    await button("Connect a wallet").waitFor();
    expect(foreign).toEqual([]);
    expect(refused).toEqual([]);
  });
});
