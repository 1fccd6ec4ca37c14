import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { availableParallelism, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import {
  type Bundle,
  encodeBundle,
  parseBundle,
  type Statement,
  statementBytes,
  statementSchema,
} from "@bombyx/protocol/attestation";
import { fromBase64, fromUtf8, toBase64 } from "@bombyx/protocol/wire";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chromiumPath } from "../src/house/chromium.ts";
import { launchChromium, phoneScreen } from "../src/miniapp/phone.ts";
import { type StagedMiniapp, stageMiniapp } from "../src/miniapp/staged-miniapp.ts";
import { hostileAnswer } from "./hostile-answer.ts";
import {
  bridgeCalls,
  openPhone,
  seriousFaults,
  telegramSays,
  telegramThemes,
  watch,
} from "./miniapp-phone.ts";
import { startNetwork, type TestNetwork } from "./network.ts";
import "./patience.ts";

const executable = chromiumPath();
/** A busy machine takes its time. */
const soon = { timeout: 30_000 };
/** Nobody looks at a page that shows nothing for longer; a machine with n times its work takes n times as long. */
const patienceMs = 2_000 * Math.max(1, (loadavg()[0] ?? 0) / availableParallelism());
const foreignHost = "evil.example";
const cli = fileURLToPath(new URL("../../sdk/src/cli.ts", import.meta.url));

describe.skipIf(executable === undefined)("what a person may rely on in the Mini App", () => {
  let network: TestNetwork;
  let stage: StagedMiniapp;
  let browser: Browser;
  let url: string;
  beforeAll(async () => {
    stage = await stageMiniapp(async (instruments) => {
      network = await startNetwork({ pace: 0, instruments });
      return network;
    });
    url = stage.open("simulation");
    browser = await launchChromium(executable ?? "");
  });
  afterAll(async () => {
    await browser?.close();
    await stage?.[Symbol.asyncDispose]();
    await network?.[Symbol.asyncDispose]();
  });

  it("is on the proof sheet, with the bytes behind every line and a proof that can be taken away", async () => {
    const { page } = await openPhone(browser, url);
    await page.getByRole("button", { name: "simulated hardware" }).click();
    const sheet = page.getByRole("dialog", { name: "What this device verified" });
    await sheet.getByText("All the same checks ran and passed").waitFor();
    const lines = sheet.locator(".proof-line");
    for (const words of [
      "simulated machine",
      "firmware",
      "Your keys",
      "Spark answers",
      "proof was made after",
      "name here",
    ]) {
      await lines.filter({ hasText: words }).first().click();
    }
    const raw = await sheet.locator(".proof-raw").allTextContents();
    for (const label of [
      "PCK certificate chain",
      "TCB status",
      "report_data",
      "GGUF SHA-256",
      "Beacon",
      "Node id",
    ]) {
      expect(raw).toContainEqual(expect.stringMatching(new RegExp(`^${label}.{8,}`, "s")));
    }
    expect(raw.join()).toContain("-----BEGIN CERTIFICATE-----");
    await sheet.getByText("What this does not protect").waitFor();

    const saving = page.waitForEvent("download");
    await page.evaluate(() => Object.defineProperty(navigator, "canShare", { value: undefined }));
    await sheet.getByRole("button", { name: "Save or share the proof" }).click();
    const saved = await (await saving).path();
    const bundle = parseBundle(await readFile(saved));
    const node = network.nodes.map(({ node: id }) => id);
    expect(node).toContain(statementOf(bundle).node);
    // Anybody can judge it again, with other software than this page.
    const policy = network.state.path("policy.js");
    const { stdout } = await promisify(execFile)(process.execPath, [
      ...["-C", "bombyx-source", cli, "attest", "verify"],
      ...["--bundle", saved, "--policy", policy],
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, status: "UpToDate" });
    await page.context().close();
  });

  it("refuses a swapped key, quote or statement in plain words, and sends nothing; untouched it works", async () => {
    const [first, second] = await realBundles();
    const other = (bundle: Bundle) => (bundle.link.linkPk === first?.link.linkPk ? second : first) as Bundle;
    const key = (bundle: Bundle) =>
      changeStatement(bundle, (statement) => ({
        ...statement,
        kem: [{ alg: "x25519", id: "00".repeat(8), pk: "09".repeat(32) }],
        suites: [1],
      }));
    for (const swap of [
      key,
      (bundle: Bundle) => ({ ...bundle, quote: other(bundle).quote }),
      (bundle: Bundle) => ({ ...bundle, statement: other(bundle).statement }),
    ]) {
      const { page, seen } = await openThrough(swap);
      const notice = page.getByRole("alert");
      await notice.waitFor();
      expect(await notice.textContent()).toContain("Nothing was sent.");
      expect(await notice.textContent()).toContain("not the ones that the hardware vouches for");
      expect(await notice.textContent()).toContain("REPORT_DATA");
      expect(await page.getByLabel("Your question").isDisabled()).toBe(true);
      expect(seen.posts).toEqual(["/v1/tokens"]);
      await page.context().close();
    }
    const { page, seen } = await openThrough((bundle) => bundle);
    await page.getByText("simulated hardware").waitFor();
    expect(seen.posts).toContainEqual(expect.stringMatching(/^\/v1\/nodes\//));
    await page.context().close();
  });

  it("shows a hostile answer as words: nothing runs, nothing is fetched, links open by a tap alone", async () => {
    const { page, seen } = await openPhone(browser, url);
    await page.getByText("simulated hardware").waitFor();
    await keepAnswer(page, hostileAnswer(foreignHost));
    await page.reload();
    await page.getByRole("heading", { name: "Hello" }).waitFor();
    await page.getByText("simulated hardware").waitFor();
    const foreign = () => seen.urls.filter((asked) => asked.includes(foreignHost));
    expect(foreign()).toEqual([]);
    expect(await page.evaluate(() => (window as unknown as { ran?: number }).ran)).toBeUndefined();
    const answer = page.locator("article.answer");
    expect(await answer.locator("img, iframe, svg[onload], script, style, link, a, [onclick]").count()).toBe(
      0,
    );
    expect(await answer.textContent()).toContain(`https://${foreignHost}/login?from=answer`);

    // Neither javascript: nor tg: nor a host behind a false name leads anywhere.
    const links = await answer.getByRole("link").allTextContents();
    expect(links.join()).not.toMatch(/javascript:|tg:|data:|bank\.example@/);
    await answer.getByRole("link", { name: "your bank" }).click();
    const opened = (await bridgeCalls(page)).filter(({ name }) => name === "web_app_open_link");
    expect(opened.map(({ data }) => (data as { url: string }).url)).toEqual([
      `https://${foreignHost}/login?from=answer`,
    ]);
    expect(foreign()).toEqual([]);
    expect(seen.violations).toEqual([]);

    // The watch sees such requests where they are made, and the page's own policy stops them.
    await page.evaluate((host) => {
      new Image().src = `https://${host}/control.png`;
    }, foreignHost);
    await expect.poll(() => seen.violations.length, soon).toBeGreaterThan(0);
    const bare = await browser.newPage();
    const unprotected = watch(bare);
    await bare.setContent(`<img src="https://${foreignHost}/control.png">`);
    expect(unprotected.urls).toContain(`https://${foreignHost}/control.png`);
    await bare.close();
    await page.context().close();
  });

  it("draws formulas, and shows what is none as it was written", async () => {
    const { page, seen } = await openPhone(browser, url);
    await page.getByText("simulated hardware").waitFor();
    const written = [
      String.raw`The root of \(x^2\) costs $5 or $10:`,
      String.raw`\[ x = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a} \]`,
      String.raw`Nobody reads \(\frac{1\).`,
    ];
    await keepAnswer(page, written.join("\n\n"));
    await page.reload();
    const answer = page.locator("article.answer");
    await answer.locator("math mfrac msqrt").waitFor();
    expect(await answer.locator("math").count()).toBe(2);
    const drawn = await answer.getByRole("region", { name: "Formula" }).locator("math").boundingBox();
    expect(drawn?.height).toBeGreaterThan(20);
    expect(await answer.locator("p").first().innerText()).toContain("costs $5 or $10:");
    expect(await answer.locator("code").allTextContents()).toEqual([String.raw`\frac{1`]);
    expect(await seriousFaults(page)).toEqual([]);
    expect(seen.violations).toEqual([]);
    await page.context().close();
  });

  it.each([
    ["a client that answers no event", { bridge: "silent" as const, version: "9.1" }],
    ["a client of the first version", { bridge: "silent" as const, version: "6.0" }],
  ])("shows something useful within 2 s to %s", async (_, options) => {
    const begunAt = performance.now();
    const { page, seen } = await openPhone(browser, url, options);
    await page.getByText("Ask in private").waitFor({ timeout: patienceMs });
    await page.getByRole("navigation").waitFor({ timeout: patienceMs });
    expect(performance.now() - begunAt).toBeLessThan(patienceMs * 2);
    await page.getByLabel("Your question").fill("What is the capital of France?");
    await page.getByRole("button", { name: "Send" }).click();
    await page.locator("article.answer").filter({ hasText: "Paris" }).waitFor();
    const unknownTo60 = (await bridgeCalls(page))
      .map(({ name }) => name)
      .filter((name) => /safe_area/.test(name));
    if (options.version === "6.0") expect(unknownTo60).toEqual([]);
    expect(seen.crashes).toEqual([]);
    await page.context().close();
  });

  it("explains itself within 2 s to a visitor outside Telegram, and asks the network for nothing", async () => {
    const context = await browser.newContext({ ...phoneScreen, locale: "ru-RU" });
    const page = await context.newPage();
    const seen = watch(page);
    await page.goto(stage.origin);
    await page.getByText("работает внутри Telegram").waitFor({ timeout: patienceMs });
    expect(seen.posts).toEqual([]);
    expect(seen.urls.filter((asked) => !asked.startsWith(stage.origin))).toEqual([]);
    expect(await seriousFaults(page)).toEqual([]);
    await context.close();
  });

  it.each(["light", "dark"] as const)("has no serious accessibility fault in %s", async (scheme) => {
    const theme = telegramThemes[scheme];
    const { page } = await openPhone(browser, url, { theme, context: { reducedMotion: "reduce" } });
    await page.getByText("simulated hardware").waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    await keepAnswer(
      page,
      "# Title\n\nA *word*, `code` and a [link](https://a.example).\n\n```ts\nlet a = 1;\n```\n",
    );
    await page.reload();
    await page.getByRole("heading", { name: "Title" }).waitFor();
    await page.getByText("simulated hardware").waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    for (const button of ["simulated hardware", "Choose a model", "Conversations"]) {
      await page.getByRole("button", { name: button }).first().click();
      await page.getByRole("dialog").waitFor();
      await page.locator(".proof-line, .row, .conversation-row").first().waitFor();
      expect(await seriousFaults(page)).toEqual([]);
      await page.getByRole("button", { name: "Close" }).click();
    }
    // The search finds what is wrong where something is.
    await page.evaluate(() => document.body.append(Object.assign(document.createElement("button"))));
    expect((await seriousFaults(page)).join()).toContain("button-name");
    await page.context().close();
  });

  it("is refused by the production build, which trusts Intel's root alone, in words of the person's language", async () => {
    const strict = stage.open("production");
    const { page, seen } = await openPhone(browser, strict, { context: { locale: "ru-RU" } });
    const notice = page.getByRole("alert");
    await notice.waitFor();
    expect(await notice.textContent()).toMatch(/^Ничего не отправлено\..*Intel.*CHAIN_ROOT/);
    expect(await page.getByLabel("Ваш вопрос").isDisabled()).toBe(true);
    expect(seen.posts).toEqual(["/v1/tokens"]);
    // What is left to do is Telegram's own main button, in this app's words.
    const shown = async () =>
      (await bridgeCalls(page))
        .filter(({ name }) => name === "web_app_setup_main_button")
        .map(({ data }) => data as { is_visible: boolean; text: string });
    await expect
      .poll(async () => (await shown()).at(-1), soon)
      .toMatchObject({ is_visible: true, text: "Повторить" });
    await telegramSays(page, "main_button_pressed");
    // It goes while the page looks again, and is back with the same refusal.
    await expect
      .poll(async () => (await shown()).map(({ is_visible }) => is_visible).join(), soon)
      .toMatch(/true,false,true$/);
    await page.context().close();
  });

  async function openThrough(swap: (bundle: Bundle) => Bundle) {
    const context = await browser.newContext(phoneScreen);
    const page = await context.newPage();
    const seen = watch(page);
    await page.route("**/v1/bundles/*", async (route) => {
      const response = await route.fetch();
      const body = Buffer.from(encodeBundle(swap(parseBundle(await response.body()))));
      await route.fulfill({ response, body });
    });
    await page.goto(url);
    return { page, seen };
  }

  async function realBundles(): Promise<Bundle[]> {
    const get = (path: string) =>
      fetch(`${network.gateway.url}${path}`, { headers: { authorization: `Bearer ${network.apiKey}` } });
    const listed = await (await get(`/v1/candidates?model=${network.model}`)).json();
    return Promise.all(
      listed.candidates.map(async ({ attestationId }: { attestationId: string }) =>
        parseBundle(await (await get(`/v1/bundles/${attestationId}`)).bytes()),
      ),
    );
  }
});

const statementOf = (bundle: Bundle): Statement =>
  statementSchema.parse(JSON.parse(fromUtf8(fromBase64(bundle.statement))));

const changeStatement = (bundle: Bundle, change: (statement: Statement) => Statement): Bundle => ({
  ...bundle,
  statement: toBase64(statementBytes(change(statementOf(bundle)))),
});

/** Puts an answer where the page keeps its conversations, as if a node had given it. */
const keepAnswer = (page: Page, text: string): Promise<void> =>
  page.evaluate(async (answer) => {
    const [database] = await indexedDB.databases();
    await new Promise<void>((resolve, reject) => {
      const opening = indexedDB.open(database?.name ?? "none", 1);
      opening.onerror = () => reject(opening.error);
      opening.onsuccess = () => {
        const change = opening.result.transaction(["heads", "turns"], "readwrite");
        change.objectStore("heads").put({ id: "kept", title: "Kept", changedAt: Date.now() });
        change.objectStore("turns").put({
          id: "kept",
          turns: [
            { id: "q", role: "user", text: "Show me", state: "done" },
            { id: "a", role: "assistant", text: answer, state: "done", model: "spark" },
          ],
        });
        change.oncomplete = () => resolve();
        change.onerror = () => reject(change.error);
      };
    });
  }, text);
