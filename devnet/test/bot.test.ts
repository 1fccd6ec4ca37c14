import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { botProcess } from "../src/processes/bot.ts";
import type { Child } from "../src/processes/child.ts";
import {
  type BotAccount,
  type LocalBotApi,
  startLocalBotApi,
} from "../src/telegram/bot-api/local-bot-api.ts";
import { botId, botKey, startNetwork, type TestNetwork } from "./network.ts";
import "./patience.ts";

/** The bot as its own process, between a local Bot API and a whole network. */
describe("the bot on a real network", () => {
  let network: TestNetwork;
  let api: LocalBotApi;
  let account: BotAccount;
  let apiKey: string;
  let bot: Child;

  beforeAll(async () => {
    [network, api] = await Promise.all([startNetwork({ nodes: 1 }), startLocalBotApi()]);
    account = await api.telegram.createBot({ username: "bombyx_bot", token: `${botId}:${"A".repeat(35)}` });
    apiKey = await botKey(network);
    bot = await startBot();
  });
  afterAll(async () => {
    await bot.stop(5_000);
    await api.close();
    await network[Symbol.asyncDispose]();
  });

  async function startBot(): Promise<Child> {
    const { child, ready } = botProcess({
      state: network.state,
      telegram: { token: account.token, apiRoot: api.url },
      gateway: network.gateway.url,
      apiKey,
      policyFile: network.state.path("policy.js"),
      model: network.model,
      publicUrl: undefined,
    });
    expect(await ready).toEqual({ event: "ready", username: "bombyx_bot" });
    return child;
  }

  /** Words of the answers that Telegram took. */
  const answers = () =>
    api.telegram.calls
      .filter(({ method, response }) => method === "sendRichMessage" && response?.ok === true)
      .map(({ payload }) => JSON.stringify(payload.rich_message));
  const drafts = () => api.telegram.calls.filter(({ method }) => method === "sendRichMessageDraft").length;
  const longStory = "Tell me a long story about a girl and a dog.";

  it("answers from a verified node, and says that its hardware was simulated", async () => {
    const anna = await api.telegram.createPerson();
    await anna.privateChat(account).send("What is the capital of France?");
    await api.telegram.until(() => answers().length === 1, { timeoutMs: 30_000 });
    expect(answers()[0]).toMatch(/Paris.*Simulated hardware/);
  });

  it("finishes its answer on SIGTERM", async () => {
    const boris = await api.telegram.createPerson();
    const before = drafts();
    await boris.privateChat(account).send(longStory);
    await api.telegram.until(() => drafts() > before + 2, { timeoutMs: 30_000 });
    bot.kill("SIGTERM");
    expect(await bot.exited).toEqual({ code: 0, signal: null });
    expect(answers()).toHaveLength(2);
    bot = await startBot();
  });

  it("answers after the start what a kill -9 cut off", async () => {
    const clara = await api.telegram.createPerson({ languageCode: "ru" });
    const before = drafts();
    await clara.privateChat(account).send(longStory);
    await api.telegram.until(() => drafts() > before + 2, { timeoutMs: 30_000 });
    bot.kill("SIGKILL");
    await bot.exited;
    expect(answers()).toHaveLength(2);
    bot = await startBot();
    await api.telegram.until(() => answers().length === 3, { timeoutMs: 60_000 });
    expect(answers()[2]).toContain("Оборудование имитируется");
  });

  it("shows nothing and sends nothing when no machine can prove itself", async () => {
    await bot.stop(5_000);
    const { child, ready } = botProcess({
      state: network.state,
      telegram: { token: account.token, apiRoot: api.url },
      gateway: network.gateway.url,
      apiKey,
      policyFile: "",
      model: network.model,
      publicUrl: undefined,
    });
    bot = child;
    await ready;
    const dora = await api.telegram.createPerson();
    await dora.privateChat(account).send("What is the capital of France?");
    await api.telegram.until(() => answers().length === 4, { timeoutMs: 30_000 });
    expect(answers()[3]).toContain("I did not ask.");
  });
});
