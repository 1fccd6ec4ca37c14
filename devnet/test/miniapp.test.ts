import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { chromiumPath } from "../src/house/chromium.ts";
import { launchChromium, phoneScreen } from "../src/miniapp/phone.ts";
import { stageMiniapp } from "../src/miniapp/staged-miniapp.ts";
import { startNetwork } from "./network.ts";
import "./patience.ts";

const executable = chromiumPath();
const question = "What is the capital of France?";

/** What the page asked of whom, and what its own policy stopped. */
function watch(page: Page): { posts: string[]; sent: string[]; violations: string[] } {
  const seen = { posts: [] as string[], sent: [] as string[], violations: [] as string[] };
  page.on("request", (request) => {
    if (request.method() !== "POST") return;
    seen.posts.push(new URL(request.url()).pathname);
    seen.sent.push(request.postDataBuffer()?.toString("latin1") ?? "");
  });
  page.on("console", (message) => {
    if (/Content Security Policy/.test(message.text())) seen.violations.push(message.text());
  });
  return seen;
}

it.skipIf(executable === undefined)(
  "the Mini App verifies, seals and streams in Chromium, and its production build refuses the simulated network in words",
  async () => {
    await using stage = await stageMiniapp((instruments) => startNetwork({ pace: 0, instruments }));
    const browser = await launchChromium(executable ?? "");
    const open = async (build: "production" | "simulation") => {
      const page = await browser.newPage(phoneScreen);
      const seen = watch(page);
      await page.goto(stage.open(build));
      return { page, seen };
    };

    const simulated = await open("simulation");
    await simulated.page.getByText("Simulated hardware").waitFor();
    await simulated.page.getByLabel("Your question").fill(question);
    await simulated.page.getByRole("button", { name: "Send" }).click();
    await simulated.page.getByRole("article").filter({ hasText: "Paris" }).waitFor();
    expect(simulated.seen.posts).toContainEqual(expect.stringMatching(/^\/v1\/sealed\//));
    expect(simulated.seen.sent.join()).not.toContain("France");
    expect(simulated.seen.violations).toEqual([]);
    // What Telegram signed does not stay where a screenshot or the history shows it.
    expect(simulated.page.url()).toBe(`${stage.origin}/`);

    const strict = await open("production");
    const notice = strict.page.getByRole("alert");
    await notice.waitFor();
    expect(await notice.textContent()).toMatch(/^Nothing was sent\. .*CHAIN_ROOT$/);
    expect(await strict.page.getByLabel("Your question").isDisabled()).toBe(true);
    expect(strict.seen.posts).toEqual(["/v1/tokens"]);

    const outside = await browser.newPage(phoneScreen);
    await outside.goto(stage.origin);
    await outside.getByText("This page works inside Telegram").waitFor();
    await browser.close();
  },
);
