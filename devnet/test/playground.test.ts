import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, FrameLocator, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bundledModel } from "../src/config.ts";
import { type Devnet, startDevnet } from "../src/devnet.ts";
import { chromiumPath } from "../src/house/chromium.ts";
import { launchChromium } from "../src/miniapp/phone.ts";
import { seriousFaults } from "./miniapp-phone.ts";
import "./patience.ts";

const executable = chromiumPath();
const story = "Tell me a story about a penguin.";

/** Everything of `npm start`, as a person has it in front of them; what one test leaves in the chat the next one sees. */
describe.skipIf(executable === undefined)("the playground", () => {
  let directory: string;
  let devnet: Devnet;
  let browser: Browser;
  let page: Page;
  let foreign: string[];
  let refused: string[];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "bombyx-playground-"));
    [devnet, browser] = await Promise.all([
      startDevnet({
        stateRoot: join(directory, ".devnet"),
        nodes: 2,
        slots: 4,
        // Slow enough that a person, or this test, finds the node that is writing.
        pace: 16,
        model: { path: bundledModel, id: "spark" },
        ports: { gateway: 0, metrics: 0, chain: [0, 0], proxy: 0 },
        facePorts: { playground: 0, miniapp: 0, botApi: 0 },
        allowanceNano: "100000000000",
      }),
      launchChromium(executable ?? ""),
    ]);
    const context = await browser.newContext({ viewport: { width: 1360, height: 900 } });
    foreign = [];
    refused = [];
    await context.route(
      ({ hostname }) => hostname !== "127.0.0.1",
      (route) => {
        foreign.push(route.request().url());
        return route.abort();
      },
    );
    context.on("console", (message) => {
      if (/Content Security Policy/.test(message.text())) refused.push(message.text());
    });
    page = await context.newPage();
    await page.goto(`${devnet.playground.url}/?lang=en&theme=light`);
    await field(page).waitFor();
  });
  afterAll(async () => {
    await browser?.close();
    await devnet?.stop();
    await rm(directory, { recursive: true, force: true });
  });
  beforeEach(() => {
    refused.length = 0;
  });

  it("streams the bot's answer in front of a person's eyes, as one message in the end", async () => {
    const { before } = await ask(page, story);
    const early = await begun(page);
    const answer = await last(page, before);
    expect(answer).toMatch(/^\w+ \w+/);
    expect(answer.startsWith(early)).toBe(true);
    expect(answer.length).toBeGreaterThan(early.length);
    expect(await drafts(page).count()).toBe(0);
  });

  it("stops an answer where the person stops it, and writes it anew when they ask for that", async () => {
    const { before } = await ask(page, story);
    const early = await begun(page);
    await drafts(page).getByRole("button", { name: "Stop" }).click();
    const stopped = await last(page, before);
    expect(stopped.startsWith(early)).toBe(true);
    expect(await drafts(page).count()).toBe(0);

    const again = answers(page).last();
    await again.getByRole("button", { name: /Try again/ }).click();
    await begun(page);
    await expect.poll(() => drafts(page).count(), patient).toBe(0);
    await expect
      .poll(async () => (await textOf(answers(page).last())).length)
      .toBeGreaterThan(stopped.length);
  });

  it("opens the Mini App in the phone, which verifies, seals and streams", async () => {
    const phone = page.frameLocator("iframe");
    await askMiniapp(phone, "What is the capital of France?");
    await phone.locator("article.answer").filter({ hasText: "Paris" }).waitFor();
    // Telegram's side of the bridge was spoken to: the page is shown, not the placeholder.
    expect(await page.locator(".mini-loading").count()).toBe(0);
  });

  it("shows one continuous answer when the node that writes it is killed, and starts the node again", async () => {
    const serving = page.locator(".node[data-state=working]");
    // What was asked before may still be on its way out of another node.
    await expect.poll(() => serving.count(), patient).toBe(0);
    const { before } = await ask(page, story);
    const early = await begun(page);
    const name = (await serving.locator("b").textContent()) ?? "";
    await serving.getByRole("button", { name: `Kill ${name}` }).click();
    const chip = page.locator(".node").filter({ hasText: name });
    await chip.and(page.locator("[data-state=gone]")).waitFor();
    const answer = await last(page, before);
    expect(answer.startsWith(early)).toBe(true);
    expect(answer.length).toBeGreaterThan(early.length);
    expect(answer).toMatch(/[.!?]$/m);
    expect(await answers(page).count()).toBe(before + 1);

    await chip.getByRole("button", { name: `Start ${name}` }).click();
    await chip.and(page.locator("[data-state=starting]")).waitFor();
  });

  it("says that the bot is gone when its process is, and goes on when it is back", async () => {
    const { pid } = devnet.bot.child;
    devnet.bot.child.kill("SIGKILL");
    const banner = page.getByText("The bot is gone and is being started again.");
    await banner.waitFor();
    await banner.waitFor({ state: "detached" });
    expect(devnet.bot.child.pid).not.toBe(pid);
    const { before } = await ask(page, "What is the capital of France?");
    expect(await last(page, before)).toContain("Paris");
  });

  it("draws formulas as Telegram does, and one that it cannot draw as it was written", async () => {
    const formula = (expression: string) => ({ type: "mathematical_expression", expression });
    const blocks = [
      { type: "paragraph", text: ["It is ", formula("a_1"), " here, and ", formula("\\frac{1")] },
      formula("\\sqrt{\\frac{a}{b}}"),
    ];
    const before = await answers(page).count();
    await botSends(devnet, { rich_message: { blocks } }, "sendRichMessage");
    await expect.poll(() => answers(page).count()).toBe(before + 1);
    const message = answers(page).last();
    await message.locator(".formula.display math msqrt mfrac").waitFor();
    expect(await message.locator("p math msub").count()).toBe(1);
    expect(await message.locator(".formula code").allTextContents()).toEqual(["\\frac{1"]);
  });

  it("shows the bot's keyboard, which writes what its buttons say, until the bot takes it away", async () => {
    const keyboard = page.getByRole("group", { name: "The bot's keyboard" });
    await botSends(devnet, {
      text: "Which capital?",
      reply_markup: {
        keyboard: [["What is the capital of France?"], [{ text: "My number", request_contact: true }]],
        one_time_keyboard: true,
        input_field_placeholder: "A capital",
      },
    });
    await keyboard.waitFor();
    expect(await field(page).getAttribute("placeholder")).toBe("A capital");
    await keyboard.getByRole("button", { name: "My number" }).click();
    await page.getByText("This page has no phone number").waitFor();
    const before = await answers(page).count();
    await keyboard.getByRole("button", { name: "What is the capital of France?" }).click();
    expect(await last(page, before)).toContain("Paris");
    // Once used it is put away, and comes back when it is asked for.
    expect(await keyboard.count()).toBe(0);
    await page.getByRole("button", { name: "The bot's keyboard" }).click();
    await keyboard.waitFor();
    await botSends(devnet, { text: "Thank you.", reply_markup: { remove_keyboard: true } });
    await keyboard.waitFor({ state: "detached" });
    expect(await page.getByRole("button", { name: "The bot's keyboard" }).count()).toBe(0);
  });

  it("asks no foreign host for anything, whatever a bot sends, and leads nowhere by itself", async () => {
    const before = await answers(page).count();
    const hostile = [
      "![pixel](https://tracker.example/pixel.png)",
      '<img src="https://tracker.example/html.png"><script>fetch("https://tracker.example/script")</script>',
      "[bad](javascript:fetch('https://tracker.example/js'))",
      "[tg](tg://resolve?domain=somebody) [web](https://web.example/page)",
      "https://preview.example/article",
    ].join("\n\n");
    await botSends(devnet, { text: hostile });
    await expect.poll(() => answers(page).count()).toBe(before + 1);
    const entities = [
      { type: "text_link", offset: 0, length: 4, url: "https://web.example/page" },
      { type: "text_link", offset: 5, length: 2, url: "tg://resolve?domain=somebody" },
    ];
    await botSends(devnet, { text: "page tg https://preview.example/article", entities });
    await expect.poll(() => answers(page).count()).toBe(before + 2);
    const message = answers(page).last();

    await message.getByRole("button", { name: "tg", exact: true }).click();
    await page.getByText("Nothing was opened here").waitFor();
    await message.getByRole("button", { name: "page", exact: true }).click();
    const question = page.getByRole("dialog", { name: "Open this link?" });
    await question.getByText("https://web.example/page").waitFor();
    await question.getByRole("button", { name: "Cancel" }).click();
    expect(page.context().pages()).toHaveLength(1);
    expect(await page.locator(".chat img:not([src^='/_people/'])").count()).toBe(0);
    expect(foreign).toEqual([]);

    // The watch sees what it is for, and the page's own policy would have stopped it.
    await page.evaluate(() => {
      new Image().src = "https://control.example/pixel.png";
    });
    await expect.poll(() => refused.join()).toContain("control.example");
    const bare = await page.context().newPage();
    await bare.evaluate(() => fetch("https://control.example/").catch(() => undefined));
    await bare.close();
    expect(foreign).toEqual(["https://control.example/"]);
  });

  it("has no serious accessibility fault, light and dark, wide and narrow, in chats and in open menus", async () => {
    expect(await seriousFaults(page)).toEqual([]);
    await page.getByRole("button", { name: "Dark" }).click();
    await field(page).fill("/");
    await page.getByRole("listbox").waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    await field(page).fill("");
    await page.getByRole("button", { name: "What is simulated" }).click();
    await page.getByRole("dialog").waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.setViewportSize({ width: 390, height: 844 });
    await page.locator(".rail button").last().click();
    expect(await seriousFaults(page)).toEqual([]);
    await page.locator(".tabs button").last().click();
    expect(await seriousFaults(page)).toEqual([]);
    await page.locator(".tabs button").first().click();
    // The control: what it looks for is found where it is.
    await page.evaluate(() => document.querySelector("textarea")?.removeAttribute("aria-label"));
    await page.evaluate(() => document.querySelector("textarea")?.removeAttribute("placeholder"));
    expect(await seriousFaults(page)).toContainEqual(expect.stringContaining("label"));
  });

  it("takes commands from its own page alone", async () => {
    const kill = (headers: Record<string, string>) =>
      fetch(`${devnet.playground.url}/nodes/alder/kill`, { method: "POST", headers });
    expect((await kill({})).status).toBe(403);
    expect((await kill({ "bombyx-playground": "1", origin: "https://attacker.example" })).status).toBe(403);
    const { port } = new URL(devnet.playground.url);
    const byName = (path: string) => fetch(`http://localhost:${port}${path}`, { redirect: "manual" });
    expect((await byName("/?lang=ru")).headers.get("location")).toBe(`${devnet.playground.url}/?lang=ru`);
    expect((await byName("/scene")).status).toBe(403);
    const unknown = await fetch(`${devnet.playground.url}/nodes/oak/kill`, {
      method: "POST",
      headers: { "bombyx-playground": "1" },
    });
    expect([unknown.status, await unknown.json()]).toEqual([
      409,
      { error: expect.stringContaining("no node oak") },
    ]);
    // The one that was killed and started again serves meanwhile, and nobody else was touched.
    await expect.poll(() => page.locator(".node[data-state=serving]").count(), patient).toBe(2);
    expect(devnet.nodes.every(({ pid }) => process.kill(pid, 0))).toBe(true);
  });
});

const field = (page: Page): Locator => page.getByLabel("Message", { exact: true });
const answers = (page: Page): Locator => page.locator("article.theirs");
const drafts = (page: Page): Locator => page.locator("[data-draft]");
const words = ".rich, .text";
/** A story is written in about four seconds; a busy machine takes longer. */
const patient = { timeout: 30_000 };

async function textOf(message: Locator): Promise<string> {
  return (await message.locator(words).first().innerText({ timeout: 5_000 })).trim();
}

/** @returns how many messages of the bot there were before. */
async function ask(page: Page, question: string): Promise<{ before: number }> {
  const before = await answers(page).count();
  await field(page).fill(question);
  await page.keyboard.press("Enter");
  return { before };
}

/** How the draft begins, as soon as it has words. */
async function begun(page: Page): Promise<string> {
  const written = drafts(page)
    .locator(words)
    .and(page.locator(":not(.thinking)"))
    .filter({ hasText: /\w+ \w+/ });
  await written.waitFor();
  return (await written.innerText()).trim().slice(0, 6);
}

/** The bot's message that has come since there were `before`. */
async function last(page: Page, before: number): Promise<string> {
  await expect.poll(() => answers(page).count(), patient).toBe(before + 1);
  return textOf(answers(page).last());
}

async function askMiniapp(phone: FrameLocator, question: string): Promise<void> {
  await phone.getByLabel("Your question").fill(question);
  await phone.getByRole("button", { name: "Send" }).click();
}

/** As the bot's own process would: again when it is told that this was too fast. */
async function botSends(devnet: Devnet, message: object, method = "sendMessage"): Promise<void> {
  const { botApi, townspeople } = devnet;
  const chat_id = townspeople?.persons[0]?.id;
  const send = async (): Promise<unknown> => {
    const response = await fetch(`${botApi?.url}/bot${townspeople?.bot.token}/${method}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ chat_id, ...message }),
    });
    return await response.json();
  };
  await expect.poll(send, { ...patient, interval: 500 }).toMatchObject({ ok: true });
}
