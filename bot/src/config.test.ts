import { describe, expect, it } from "vitest";
import { ConfigError, readConfig } from "./config.ts";

const token = `123456:${"A".repeat(35)}`;
const least = { BOT_TOKEN: token, BOMBYX_GATEWAY: "https://gateway.example", BOMBYX_API_KEY: "bx_key" };

describe("settings", () => {
  it("need a token, a gateway and a key; the rest has a default", () => {
    expect(readConfig(least)).toMatchObject({
      apiRoot: "https://api.telegram.org",
      historyMs: 86_400_000,
      miniApp: { reason: "PUBLIC_URL is not set" },
    });
    expect(readConfig(least).webhook).toBeUndefined();
  });

  it("name every variable that is missing or wrong, and never repeat a secret", () => {
    const read = () =>
      readConfig({
        BOT_TOKEN: "my-secret-token",
        BOT_STORE_KEY: "short",
        BOT_DRAIN_MS: "soon",
        BOT_WEBHOOK: "https://bot.example/hook",
      });
    expect(read).toThrow(ConfigError);
    const message = (() => {
      try {
        return String(read());
      } catch (error) {
        return String(error);
      }
    })();
    for (const name of [
      "BOT_TOKEN takes",
      "BOMBYX_GATEWAY is missing",
      "BOMBYX_API_KEY is missing",
      "BOT_STORE_KEY takes 64 hex",
      "BOT_DRAIN_MS takes an integer",
    ]) {
      expect(message).toContain(name);
    }
    expect(message).not.toContain("my-secret-token");
  });

  it("take a webhook only with its secret", () => {
    expect(() => readConfig({ ...least, BOT_WEBHOOK: "https://bot.example/hook" })).toThrow(
      "BOT_WEBHOOK_SECRET is missing",
    );
    expect(
      readConfig({ ...least, BOT_WEBHOOK: "https://bot.example/hook", BOT_WEBHOOK_SECRET: "s".repeat(16) })
        .webhook,
    ).toMatchObject({
      url: "https://bot.example/hook",
      host: "127.0.0.1",
    });
  });

  it.each([
    [undefined, undefined, { reason: "PUBLIC_URL is not set" }],
    ["https://app.example/", undefined, { url: "https://app.example/" }],
    [
      "http://app.example/",
      undefined,
      { reason: "PUBLIC_URL is not https, and Telegram opens nothing else" },
    ],
    [
      "http://127.0.0.1:5173/",
      undefined,
      { reason: "PUBLIC_URL is not https, and Telegram opens nothing else" },
    ],
    ["http://127.0.0.1:5173/", "http://127.0.0.1:8081", { url: "http://127.0.0.1:5173/" }],
    [
      "http://127.0.0.1.evil.example/",
      "http://127.0.0.1:8081",
      { reason: "PUBLIC_URL is not https, and Telegram opens nothing else" },
    ],
  ])("PUBLIC_URL=%s with BOT_API_ROOT=%s", (url, root, expected) => {
    expect(readConfig({ ...least, PUBLIC_URL: url, BOT_API_ROOT: root }).miniApp).toEqual(expected);
  });
});
