import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { BrowserContextOptions, Page } from "playwright-core";
import { bundledModel, repositoryRoot } from "../config.ts";
import { startDevnet } from "../devnet.ts";
import { launchChromium, phoneScreen } from "../miniapp/phone.ts";
import { builtMiniapp } from "../playground/pages.ts";
import { buildMiniapp } from "./build.ts";
import { chromiumPath } from "./chromium.ts";
import {
  miniappScreens,
  type PictureLanguage,
  type PictureTheme,
  playgroundScreens,
  type Screen,
  type Take,
} from "./pictured-screens.ts";

/**
 * `npm run pictures`: the pictures of the documents, into docs/pictures. `-- --out DIR` takes every screen of the
 * playground and of the Mini App instead, phone and desktop, light and dark, English and Russian; `--only WORD` those
 * whose name holds it.
 */
const { values: flags } = parseArgs({ options: { out: { type: "string" }, only: { type: "string" } } });
const folder = flags.out === undefined ? join(repositoryRoot, "docs/pictures") : resolve(flags.out);

/** Telegram's own colours, as its apps hand them over; the page names the rest itself. */
const themes = {
  light: {
    bg_color: "#ffffff",
    text_color: "#000000",
    secondary_bg_color: "#efeff4",
    button_color: "#2481cc",
  },
  dark: {
    bg_color: "#17212b",
    text_color: "#f5f5f5",
    secondary_bg_color: "#232e3c",
    button_color: "#5288c1",
  },
} as const;

const sizes: Readonly<Record<string, BrowserContextOptions>> = {
  phone: phoneScreen,
  desktop: { viewport: { width: 1440, height: 900 } },
};

/** What the documents show; everything else is for the eyes of who changes a screen. */
const shown = new Set([
  "playground-chat-desktop-light-en",
  "playground-chat-desktop-dark-en",
  "playground-formats-desktop-light-en",
  "playground-start-phone-light-ru",
  ...["chat", "proof", "network", "earn"].flatMap((screen) => [
    `miniapp-${screen}-phone-light-en`,
    `miniapp-${screen}-phone-dark-en`,
  ]),
  "miniapp-refused-phone-light-en",
  "miniapp-visitor-phone-light-en",
]);

interface Picture {
  readonly name: string;
  readonly screen: Screen;
  readonly size: BrowserContextOptions;
  readonly theme: PictureTheme;
  readonly language: PictureLanguage;
}

/** Every picture, in an order in which one chat tells one story. */
function pictures(): Picture[] {
  const all = { playground: playgroundScreens, miniapp: miniappScreens };
  return (["en", "ru"] as const).flatMap((language) =>
    (["light", "dark"] as const).flatMap((theme) =>
      Object.entries(sizes).flatMap(([sizeName, size]) =>
        Object.entries(all).flatMap(([page, screens]) =>
          Object.entries(screens).map(([name, screen]) => ({
            name: `${page}-${name}-${sizeName}-${theme}-${language}`,
            screen,
            size,
            theme,
            language,
          })),
        ),
      ),
    ),
  );
}

/** Until what moves has come to rest; what never rests (a spinner) is taken as it is. */
const settled = (page: Page) =>
  page.evaluate(async () => {
    await document.fonts.ready;
    const ending = document
      .getAnimations()
      .filter(({ effect }) => effect?.getComputedTiming().iterations !== Number.POSITIVE_INFINITY);
    await Promise.all(ending.map(({ finished }) => finished.catch(() => undefined)));
  });

const wanted = pictures().filter(
  ({ name }) =>
    (flags.out !== undefined || shown.has(name)) && (flags.only === undefined || name.includes(flags.only)),
);
const executable = chromiumPath();
if (executable === undefined) throw new Error("Pictures need Chromium: install it, or set CHROMIUM_PATH.");
mkdirSync(folder, { recursive: true });
const scratch = mkdtempSync(join(tmpdir(), "bombyx-pictures-"));
const stopping = new AbortController();
const devnet = await startDevnet({
  stateRoot: join(scratch, ".devnet"),
  nodes: 2,
  slots: 4,
  pace: 25,
  model: { path: bundledModel, id: "spark" },
  ports: { gateway: 0, metrics: 0, chain: [0, 0], proxy: 0 },
  facePorts: { playground: 0, miniapp: 0, botApi: 0 },
  allowanceNano: "100000000000",
});
try {
  buildMiniapp(scratch);
  const simulation = await builtMiniapp(
    devnet.state.path("pages"),
    devnet.state.path("policy.js"),
    stopping.signal,
  );
  const { townspeople } = devnet;
  const person = townspeople?.persons[0];
  if (!townspeople || !person) throw new Error("Nobody is there to be photographed.");
  const seat = person.privateChat(townspeople.bot);
  const browser = await launchChromium(executable);
  for (const { name, screen, size, theme, language } of wanted) {
    await person.setLanguage(language);
    const context = await browser.newContext({ ...size, colorScheme: theme, locale: language });
    const page = await context.newPage();
    const take: Take = {
      devnet,
      seat,
      language,
      theme,
      production: join(scratch, "miniapp/dist"),
      simulation,
      launch: async () => (await seat.openMiniApp({ version: "9.1", theme: themes[theme] })).url,
    };
    await screen(page, take);
    await settled(page);
    // Who looks closely wants every pixel; who reads a document wants it to load.
    const isForDocuments = flags.out === undefined;
    const file = join(folder, `${name.replace(/-en$/, "")}.${isForDocuments ? "jpg" : "png"}`);
    await page.screenshot({ path: file, ...(isForDocuments && { type: "jpeg", quality: 88 }) });
    await context.close();
    process.stdout.write(`${relative(process.cwd(), file)}\n`);
    for (const node of devnet.nodes) {
      // Whoever was killed for a picture is back for the next one.
      await devnet.startNode(node.name).catch(() => undefined);
    }
  }
  await browser.close();
} finally {
  stopping.abort();
  await devnet.stop();
  rmSync(scratch, { recursive: true, force: true });
}
