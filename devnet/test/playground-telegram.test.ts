import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { bundledModel } from "../src/config.ts";
import { startDevnet } from "../src/devnet.ts";
import { botProcess } from "../src/processes/bot.ts";
import { startLocalBotApi } from "../src/telegram/bot-api/local-bot-api.ts";
import "./patience.ts";

it("with a token, the bot answers at the Telegram that knows it, and the playground has none of its own", async () => {
  const directory = await mkdtemp(join(tmpdir(), "bombyx-telegram-"));
  // Stands where api.telegram.org stands; the devnet is not told that it is local.
  await using there = await startLocalBotApi();
  const bot = await there.telegram.createBot({ username: "somebodys_bot" });
  const ada = await there.telegram.createPerson({ firstName: "Ada" });
  const given: string[] = [];
  const devnet = await startDevnet({
    stateRoot: join(directory, ".devnet"),
    nodes: 1,
    slots: 4,
    pace: 0,
    model: { path: bundledModel, id: "spark" },
    ports: { gateway: 0, metrics: 0, chain: [0, 0], proxy: 0 },
    facePorts: { playground: 0, miniapp: 0, botApi: 0 },
    allowanceNano: "100000000000",
    realTelegram: { token: bot.token, publicUrl: "https://tunnel.example" },
    botProcess: (options) => {
      given.push(String(options.telegram.apiRoot), String(options.publicUrl));
      return botProcess({ ...options, telegram: { ...options.telegram, apiRoot: there.url } });
    },
  });
  try {
    expect(given).toEqual(["undefined", "https://tunnel.example"]);
    const seat = await ada.start(bot);
    await seat.send("What is the capital of France?");
    await seat.chat.until((chat) => JSON.stringify(chat.lastFromBot ?? "").includes("Paris"));
    expect(bot.menuButton(ada)).toMatchObject({ web_app: { url: "https://tunnel.example" } });

    expect(devnet.botApi).toBeUndefined();
    const playground = (path: string) => fetch(devnet.playground.url + path);
    expect((await playground("/_people/snapshot")).status).toBe(404);
    const scene = await (await playground("/scene")).text();
    expect(JSON.parse(scene)).toMatchObject({ bot: { at: "telegram", username: "somebodys_bot" } });
    const secret = bot.token.split(":")[1] ?? "";
    expect(scene).not.toContain(secret);
    expect(await readFile(devnet.bot.child.logFile, "utf8")).not.toContain(secret);
  } finally {
    await devnet.stop();
    await rm(directory, { recursive: true, force: true });
  }
});
