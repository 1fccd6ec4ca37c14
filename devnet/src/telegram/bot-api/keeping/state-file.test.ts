import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startLocalBotApi } from "../local-bot-api.ts";

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bot-api-"));
  file = join(folder, "telegram.json");
});
afterEach(() => rm(folder, { recursive: true }));

describe("a Telegram that is kept in a file", () => {
  it("shows the same chat after a restart, files and waiting updates included", async () => {
    const first = await startLocalBotApi({ file });
    const bot = await first.telegram.createBot({ username: "echo_bot" });
    const ada = await first.telegram.createPerson();
    const seat = await ada.start(bot);
    await seat.sendDocument(Buffer.from("paper"), { caption: "read it" });
    const before = first.telegram.snapshot();
    const pending = bot.pending;
    await first.close();

    await using second = await startLocalBotApi({ file });
    const after = second.telegram.snapshot();
    expect(after.chats).toEqual(before.chats);
    expect(after.eventId).toBeGreaterThan(before.eventId);
    const [same] = second.telegram.bots;
    expect(same?.pending).toEqual(pending);
    const path = (await (
      await fetch(`${second.url}/bot${bot.token}/getFile?file_id=${pending[1]?.message?.document?.file_id}`)
    ).json()) as { result: { file_path: string } };
    const content = await fetch(`${second.url}/file/bot${bot.token}/${path.result.file_path}`);
    expect(await content.text()).toBe("paper");
  });

  it("has on disk whatever it has answered", async () => {
    await using api = await startLocalBotApi({ file });
    const bot = await api.telegram.createBot({ username: "echo_bot" });
    const seat = await (await api.telegram.createPerson()).start(bot);
    const texts = Array.from({ length: 20 }, (_, index) => `message ${index}`);
    await Promise.all(
      texts.map(async (text) => {
        await seat.send(text);
        expect(await readFile(file, "utf8")).toContain(text);
      }),
    );
    const reply = await fetch(`${api.url}/bot${bot.token}/sendMessage`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ chat_id: seat.chat.id, text: "an answer" }),
    });
    expect(reply.status).toBe(200);
    expect(await readFile(file, "utf8")).toContain("an answer");
    // Tokens are in it.
    expect((await stat(file)).mode & 0o077).toBe(0);
  });

  it("refuses a file that is something else, and leaves it alone", async () => {
    await writeFile(file, '{"version":0}');
    await expect(startLocalBotApi({ file })).rejects.toThrow(/move it away/);
    expect(await readFile(file, "utf8")).toBe('{"version":0}');
  });
});
