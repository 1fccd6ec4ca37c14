import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { bundledModel, repositoryRoot } from "../config.ts";
import { launchChromium, phoneScreen } from "../miniapp/phone.ts";
import { stageMiniapp } from "../miniapp/staged-miniapp.ts";
import { startNetwork } from "../network.ts";
import { chromiumPath } from "./chromium.ts";

/** `npm run pictures`: every screen of the Mini App in docs/pictures, phone-sized, light and dark. */
const folder = join(repositoryRoot, "docs/pictures");

const screens: Readonly<
  Record<
    string,
    (page: Page, stage: { open(build: "production" | "simulation"): string; origin: string }) => Promise<void>
  >
> = {
  chat: async (page, stage) => {
    await page.goto(stage.open("simulation"));
    await page.getByText("Simulated hardware").waitFor();
    await ask(page, "What is the capital of France?");
    await ask(page, "Can the gateway read what I write?");
  },
  refused: async (page, stage) => {
    await page.goto(stage.open("production"));
    await page.getByRole("alert").waitFor();
  },
  visitor: async (page, stage) => {
    await page.goto(stage.origin);
    await page.getByText("This page works inside Telegram").waitFor();
  },
};

async function ask(page: Page, question: string): Promise<void> {
  await page.getByLabel("Your question").fill(question);
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByRole("button", { name: "Stop" }).waitFor();
  await page.getByRole("button", { name: "Send" }).waitFor();
}

const executable = chromiumPath();
if (executable === undefined) throw new Error("Pictures need Chromium: install it, or set CHROMIUM_PATH.");
mkdirSync(folder, { recursive: true });
const stateRoot = mkdtempSync(join(tmpdir(), "bombyx-pictures-"));
try {
  await using stage = await stageMiniapp((instruments) =>
    startNetwork({
      stateRoot: join(stateRoot, ".devnet"),
      nodes: 2,
      slots: 4,
      pace: 0,
      model: { path: bundledModel, id: "spark" },
      ports: { gateway: 0, metrics: 0, chain: [0, 0], proxy: 0 },
      allowanceNano: "100000000000",
      instruments,
    }),
  );
  const browser = await launchChromium(executable);
  for (const colorScheme of ["light", "dark"] as const) {
    for (const [name, arrange] of Object.entries(screens)) {
      const page = await browser.newPage({ ...phoneScreen, colorScheme });
      await arrange(page, stage);
      await page.screenshot({ path: join(folder, `${name}-${colorScheme}.png`) });
      await page.close();
      process.stdout.write(`docs/pictures/${name}-${colorScheme}.png\n`);
    }
  }
  await browser.close();
} finally {
  rmSync(stateRoot, { recursive: true, force: true });
}
