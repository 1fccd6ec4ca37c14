import { readFile } from "node:fs/promises";
import { isAbsolute } from "node:path";
import { describe, expect, it } from "vitest";
import { environmentSchema, readEnvironment } from "./config.ts";

describe("the settings of npm start", () => {
  it("need nothing to be set", () => {
    const environment = readEnvironment({});
    expect(environment).toMatchObject({ DEVNET_NODES: 2, DEVNET_SLOTS: 4, DEVNET_GATEWAY_PORT: 8780 });
    expect(environment.MODEL).toBeUndefined();
    expect(isAbsolute(environment.DEVNET_DIR)).toBe(true);
  });

  it("name every variable that is wrong, what it got and what it takes", () => {
    expect(() => readEnvironment({ DEVNET_NODES: "0", DEVNET_PROXY_PORT: "http" })).toThrow(
      /DEVNET_NODES=0: .*1[\s\S]*DEVNET_PROXY_PORT=http: .*number/,
    );
  });

  it("repeat no secret, not even a wrong one", () => {
    expect(() => readEnvironment({ BOT_TOKEN: "123:hunter2" })).toThrow(/BOT_TOKEN=…: .*BotFather/);
    expect(() => readEnvironment({ BOT_TOKEN: "123:hunter2" })).not.toThrow(/hunter2/);
  });

  it("are all in the README's table", async () => {
    const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
    for (const name of Object.keys(environmentSchema.shape)) expect(readme).toContain(`| \`${name}\` |`);
  });
});
