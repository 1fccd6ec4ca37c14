import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chromiumPath } from "../src/house/chromium.ts";
import { launchChromium } from "../src/miniapp/phone.ts";
import { type StagedMiniapp, stageMiniapp } from "../src/miniapp/staged-miniapp.ts";
import { openPhone, seriousFaults, telegramThemes } from "./miniapp-phone.ts";
import { startNetwork, type TestNetwork } from "./network.ts";
import { startOpenNode } from "./open-node.ts";
import "./patience.ts";

const executable = chromiumPath();
const sdk = fileURLToPath(new URL("../../sdk/src/trust/open-tier.ts", import.meta.url));

describe.skipIf(executable === undefined)("a Mini App whose builder chose the open tier", () => {
  let network: TestNetwork;
  let stage: StagedMiniapp;
  let browser: Browser;
  let open: Awaited<ReturnType<typeof startOpenNode>>;
  let url: string;
  beforeAll(async () => {
    stage = await stageMiniapp(async (instruments) => {
      network = await startNetwork({ nodes: 1, pace: 0, instruments });
      return network;
    });
    open = await startOpenNode(network);
    // As a builder writes it: a module whose code makes the policy.
    const policy = network.state.path("open-policy.js");
    const { chainEndpoints, attestation } = network.policy;
    const given = JSON.stringify({ chainEndpoints, chain: attestation.chain });
    writeFileSync(
      policy,
      `import { openTier } from ${JSON.stringify(sdk)};\nexport default openTier(${given});\n`,
    );
    url = stage.open("simulation", policy);
    browser = await launchChromium(executable ?? "");
    // A network, a node more and a build: a busy machine takes its time.
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    await open?.child.stop(2_000);
    await stage?.[Symbol.asyncDispose]();
    await network?.[Symbol.asyncDispose]();
  });

  it("says who can read before the first word, on the proof sheet and in the network, and never calls it private", async () => {
    const { page, seen } = await openPhone(browser, url);
    const chip = page.getByRole("button", { name: "The computer's owner can read this" });
    await chip.waitFor();
    expect(await page.getByText("Ask in private").count()).toBe(0);
    expect(await page.getByText("Only the verified machine can open it").count()).toBe(0);
    await page.getByLabel("Your question").fill("What is the capital of France?");
    await page.getByRole("button", { name: "Send" }).click();
    await page.locator("article.answer").filter({ hasText: /\w/ }).waitFor();
    await chip.click();
    const sheet = page.getByRole("dialog");
    await sheet.getByText("The owner of that computer can read this").waitFor();
    await sheet.getByText("No hardware vouches for this computer").waitFor();
    const words = await sheet.innerText();
    expect(words).not.toMatch(/genuine Intel|made inside it|Verified on this device|hear only noise/);
    expect(await seriousFaults(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page
      .getByRole("link", { name: "Network" })
      .or(page.getByRole("button", { name: "Network" }))
      .click();
    await page.getByText("open tier: its owner can read").waitFor();
    expect(seen.crashes).toEqual([]);
    await page.context().close();
  });

  it("says it in Russian and in the dark, too", async () => {
    const { page } = await openPhone(browser, url, {
      theme: telegramThemes.dark,
      context: { locale: "ru-RU", colorScheme: "dark" },
    });
    const chip = page.getByRole("button", { name: "Владелец компьютера может это прочитать" });
    await chip.waitFor();
    await chip.click();
    await page.getByText("За этот компьютер не ручается никакое оборудование").waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    await page.context().close();
  });
});
