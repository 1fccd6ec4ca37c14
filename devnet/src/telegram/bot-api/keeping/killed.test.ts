import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, it } from "vitest";
import type { State } from "../world/state.ts";

/** Says each text to a bot, and prints it once that is acknowledged. */
const talker = (file: string) => `
  const { startLocalBotApi } = await import(${JSON.stringify(new URL("../local-bot-api.ts", import.meta.url).href)});
  const { telegram } = await startLocalBotApi({ file: ${JSON.stringify(file)} });
  const bot = telegram.bots[0] ?? (await telegram.createBot({ username: "echo_bot" }));
  const ada = telegram.persons[0] ?? (await telegram.createPerson());
  const seat = ada.privateChat(bot);
  for (let index = 0; ; index += 1) {
    const text = process.pid + "/" + index;
    await seat.send(text);
    process.stdout.write(text + "\\n");
  }`;

it("a process that is killed loses nothing that it acknowledged", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bot-api-"));
  const file = join(folder, "telegram.json");
  const acknowledged: string[] = [];
  try {
    for (const count of [3, 11, 7]) {
      const child = spawn(process.execPath, ["--input-type=module", "--eval", talker(file)], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let heard = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        acknowledged.push(line);
        heard += 1;
        if (heard === count) child.kill("SIGKILL");
      }
      expect(heard).toBeGreaterThanOrEqual(count);
      const state = JSON.parse(await readFile(file, "utf8")) as State;
      const [chat] = Object.values(state.chats);
      const texts = chat?.messages.map(({ text }) => text);
      expect(texts).toEqual(expect.arrayContaining(acknowledged));
      const [bot] = Object.values(state.bots);
      expect(bot?.pending.map(({ message }) => message?.text)).toEqual(texts);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
