import type { Page } from "playwright-core";
import type { Devnet } from "../devnet.ts";
import type { Seat } from "../telegram/bot-api/interface.ts";

export type PictureLanguage = "en" | "ru";
export type PictureTheme = "light" | "dark";

/** How one picture is taken. */
export interface Take {
  readonly devnet: Devnet;
  readonly seat: Seat;
  readonly language: PictureLanguage;
  readonly theme: PictureTheme;
  /** Telegram's address of the Mini App for this person, language and theme. */
  launch(): Promise<string>;
  /** Folder of the Mini App's production build, which refuses a simulated network. */
  readonly production: string;
  readonly simulation: string;
}

/** Brings a page to the moment that is photographed. */
export type Screen = (page: Page, take: Take) => Promise<void>;

const questions = {
  en: ["What is the capital of France?", "Can the gateway read what I write?"],
  ru: ["What is the capital of France?", "Can the gateway read what I write?"],
} as const;
const story = "Tell me a story about a penguin.";

async function askMiniapp(page: Page, question: string): Promise<void> {
  await page.locator(".composer textarea").fill(question);
  await page.locator(".composer .send-button").click();
  await page.locator("article.answer[aria-busy=true]").waitFor();
  await page.locator("article.answer:not([aria-busy=true])").last().waitFor();
  await page.locator("article.answer[aria-busy=true]").waitFor({ state: "detached" });
}

async function openMiniapp(page: Page, take: Take): Promise<void> {
  await page.goto(await take.launch());
  await page.locator(".status-chip[data-tone]").waitFor();
  // The chip says "…" for as long as it looks for a node.
  await page.locator(".status-chip").filter({ hasNotText: "…" }).waitFor();
}

const tab =
  (place: number): Screen =>
  async (page, take) => {
    await openMiniapp(page, take);
    await page.locator("nav.tab-bar a").nth(place).click();
    await page.waitForLoadState("networkidle");
  };

/** The Mini App by itself, as on a phone. */
export const miniappScreens: Readonly<Record<string, Screen>> = {
  start: openMiniapp,
  chat: async (page, take) => {
    await openMiniapp(page, take);
    for (const question of questions[take.language]) await askMiniapp(page, question);
  },
  proof: async (page, take) => {
    await openMiniapp(page, take);
    await page.locator(".status-chip").click();
    await page.locator(".sheet-body").waitFor();
    await page.waitForLoadState("networkidle");
  },
  model: async (page, take) => {
    await openMiniapp(page, take);
    await page.locator(".model-button").click();
    await page.locator(".sheet-body").waitFor();
  },
  network: tab(1),
  earn: tab(2),
  wallet: async (page, take) => {
    await openMiniapp(page, take);
    await askMiniapp(page, questions[take.language][0]);
    await page.locator("nav.tab-bar a").nth(3).click();
    await page.locator(".plot canvas").waitFor();
    await page.waitForLoadState("networkidle");
  },
  connect: async (page, take) => {
    await openMiniapp(page, take);
    // Telegram launched the page; its other document is led to by the tab Wallet.
    await page.goto(`${take.devnet.miniapp?.url ?? ""}/wallet.html?do=connect`);
    await page.locator("button.row").first().waitFor();
  },
  refused: async (page, take) => {
    const { miniapp } = take.devnet;
    miniapp?.deploy(take.production);
    await page.goto(await take.launch());
    await page.getByRole("alert").waitFor();
    miniapp?.deploy(take.simulation);
  },
  visitor: async (page, take) => {
    await page.goto(take.devnet.miniapp?.url ?? "");
    await page.locator(".visitor, main").first().waitFor();
  },
};

/** Everything that the local Bot API draws, at once. */
const formats = {
  en: `## What Telegram draws

A **rich message** has *all of it*: \`code\`, ~~mistakes~~, ==marks==, ||spoilers|| and $e^{i\\pi} + 1 = 0$.

| model | memory | tokens/s |
|:--|--:|--:|
| Spark | 3 MB | 800 |
| Qwen3 32B | 20 GB | 45 |

\`\`\`python
def silk(moths: int) -> int:
    return moths * 900  # metres a cocoon
\`\`\`

1. Verify the machine.
2. Seal the question.

- [x] done
- [ ] open

> Nobody in between can read it.

<details><summary>How?</summary>

The key lives inside the machine that proved what it is.

</details>`,
  ru: `## Что рисует Telegram

В **сообщении** есть *всё*: \`код\`, ~~ошибки~~, ==пометки==, ||спойлеры|| и $e^{i\\pi} + 1 = 0$.

| модель | память | токенов/с |
|:--|--:|--:|
| Spark | 3 МБ | 800 |
| Qwen3 32B | 20 ГБ | 45 |

\`\`\`python
def silk(moths: int) -> int:
    return moths * 900  # метров в коконе
\`\`\`

1. Проверить машину.
2. Запечатать вопрос.

> Никто по дороге не прочтёт.`,
} as const;

async function openPlayground(page: Page, { devnet, language, theme }: Take): Promise<void> {
  await page.goto(`${devnet.playground.url}/?lang=${language}&theme=${theme}`);
  await page.locator(".composer textarea").waitFor();
  await page.frameLocator("iframe").locator(".composer textarea:enabled").waitFor({ state: "attached" });
}

async function askBot(page: Page, question: string): Promise<void> {
  const before = await page.locator("article.theirs").count();
  await page.locator(".composer textarea").fill(question);
  await page.keyboard.press("Enter");
  await page.locator("article.theirs").nth(before).waitFor();
  await page.locator("[data-draft]").waitFor({ state: "detached" });
}

/** The playground page, in order: what one has said the next one shows above. */
export const playgroundScreens: Readonly<Record<string, Screen>> = {
  welcome: openPlayground,
  start: async (page, take) => {
    await openPlayground(page, take);
    await askBot(page, "/start");
  },
  chat: async (page, take) => {
    await openPlayground(page, take);
    const phone = page.frameLocator("iframe");
    // On a small screen it lies behind the other tab.
    if (await page.locator(".phone-stage").isVisible()) {
      await phone.locator(".composer textarea").fill(questions[take.language][1]);
      await phone.locator(".composer .send-button").click();
    }
    await askBot(page, questions[take.language][0]);
    await page.locator(".composer textarea").fill(story);
    await page.keyboard.press("Enter");
    await page
      .locator("[data-draft] :is(.rich, .text):not(.thinking)")
      .filter({ hasText: /(\S+ ){12}/ })
      .waitFor();
    await page.locator(".node[data-state=working]").waitFor();
  },
  commands: async (page, take) => {
    await openPlayground(page, take);
    await page.locator("[data-draft]").waitFor({ state: "detached" });
    await page.locator(".composer textarea").fill("/");
    await page.getByRole("listbox").waitFor();
  },
  formats: async (page, take) => {
    await openPlayground(page, take);
    // A bot writes to nobody who has not spoken to it.
    if ((await page.locator("article.mine").count()) === 0) await askBot(page, "/start");
    const { botApi, townspeople } = take.devnet;
    const answered = await fetch(`${botApi?.url}/bot${townspeople?.bot.token}/sendRichMessage`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        chat_id: take.seat.person.id,
        rich_message: { markdown: formats[take.language] },
      }),
    });
    if (!answered.ok) throw new Error(await answered.text());
    await page.locator("article.theirs table").last().waitFor();
  },
  group: async (page, take) => {
    await openPlayground(page, take);
    await page.locator(".rail button").nth(1).click();
    await askBot(page, `@${take.devnet.botUsername} ${questions[take.language][0]}`);
    // In a group an answer is one message that is edited.
    await page.locator("article.theirs").last().filter({ hasText: "Paris" }).waitFor();
  },
  topics: async (page, take) => {
    await openPlayground(page, take);
    await page.locator(".rail button").nth(2).click();
    await page.locator(".topics button").nth(1).click();
    await askBot(page, `@${take.devnet.botUsername} ${questions[take.language][1]}`);
    await page.locator("article.theirs").last().filter({ hasText: "gateway" }).waitFor();
  },
  killed: async (page, take) => {
    await openPlayground(page, take);
    const victim = page.locator(".node").last();
    await victim.locator(".kill").click();
    await page.locator(".node[data-state=gone]").waitFor();
    await page.locator(".composer textarea").fill(story);
    await page.keyboard.press("Enter");
    await page
      .locator("[data-draft] :is(.rich, .text):not(.thinking)")
      .filter({ hasText: /(\S+ ){8}/ })
      .waitFor();
  },
  about: async (page, take) => {
    await openPlayground(page, take);
    await page.locator(".about-button").click();
    await page.getByRole("dialog").waitFor();
  },
};
