import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { fork } from "../src/house/fork.ts";
import { startLocalBotApi } from "../src/telegram/bot-api/local-bot-api.ts";
import { botId, botKey, startNetwork } from "./network.ts";
import "./patience.ts";

const run = promisify(execFile);
const nginx = "/usr/sbin/nginx";
const guide = readFileSync(fileURLToPath(new URL("../../docs/bot-developer.md", import.meta.url)), "utf8");

/** The guide's own blocks: a file as it is, or the change of one, as its reader would make them. */
function follow(project: string): string[] {
  const blocks = [...guide.matchAll(/^```(\w+) title=(\S+)\n([\s\S]*?)^```$/gm)];
  for (const [, kind, path = "", text = ""] of blocks) {
    const file = join(project, path);
    if (kind !== "diff") {
      expect(existsSync(file), `${path} is new`).toBe(false);
      writeFileSync(file, text);
      continue;
    }
    const lines = text.trimEnd().split("\n");
    const side = (mark: string) =>
      lines
        .filter((line) => !line.startsWith(mark))
        .map((line) => line.slice(1))
        .join("\n");
    const before = readFileSync(file, "utf8");
    expect(before, `${path} as the guide shows it`).toContain(side("+"));
    writeFileSync(
      file,
      before.replace(side("+"), () => side("-")),
    );
  }
  return blocks.map(([, , path = ""]) => path);
}

async function installedMebibytes(project: string): Promise<number> {
  const { stdout } = await run("du", ["-sm", "node_modules"], { cwd: project });
  return Number(stdout.split("\t")[0]);
}

describe("a fork of bot and Mini App", () => {
  let folder: string;
  let project: string;
  // As in a shell of the project's owner: its own Node first.
  const environment = () => ({
    PATH: [join(project, "node_modules/.bin"), process.env.PATH].join(delimiter),
    HOME: process.env.HOME,
    npm_config_cache: process.env.npm_config_cache,
    // The tests around this one need their share of the machine.
    VITEST_MAX_WORKERS: "1",
  });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "bombyx-fork-test-"));
    project = join(folder, "my-bot");
    fork(project);
    await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund"], { cwd: project });
  }, 240_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("installs in at most 320 MB, with room for what its owner adds", async () => {
    expect(await installedMebibytes(project)).toBeLessThanOrEqual(280);
  });

  it("takes the guide's command as written, and passes its own tests with it", async () => {
    expect(follow(project)).toContain("bot/src/features/brief.ts");
    const { stdout } = await run("npm", ["test"], { cwd: project, env: environment() });
    expect(stdout).toContain("bot/test/brief.test.ts");
    expect(stdout).toMatch(/Test Files .*passed/);
  });

  it("builds its Mini App", async () => {
    await run("npm", ["run", "build:miniapp"], { cwd: project, env: environment() });
    expect(existsSync(join(project, "miniapp/dist/index.html"))).toBe(true);
  });

  it.skipIf(!existsSync(nginx))(
    "has its Mini App served by nginx as the guide asks: framed by nobody but Telegram Web",
    async () => {
      const [site, main] = [join(folder, "site.conf"), join(folder, "nginx.conf")];
      const port = await freePort();
      const template = readFileSync(join(project, "deploy/miniapp.nginx.conf"), "utf8");
      writeFileSync(
        site,
        template
          .replace("root /srv/miniapp", `root ${join(project, "miniapp/dist")}`)
          .replace("listen 8080", `listen 127.0.0.1:${port}`),
      );
      writeFileSync(
        main,
        `pid ${folder}/nginx.pid; error_log ${folder}/nginx.log; daemon off; user ${userInfo().username}; events {}
       http { access_log off; include /etc/nginx/mime.types; include ${site}; }`,
      );
      const server = spawn(nginx, ["-c", main], { stdio: "inherit" });
      try {
        const page = await vi.waitFor(() => fetch(`http://127.0.0.1:${port}/`), { timeout: 10_000 });
        expect(page.status).toBe(200);
        expect(page.headers.get("content-security-policy")).toBe("frame-ancestors https://web.telegram.org");
        const html = await page.text();
        // Two policies add up: the page's own is still in it.
        expect(html.replaceAll("&#39;", "'")).toContain("default-src 'none'");
        const [, script = ""] = /src="\.\/(assets\/[^"]+\.js)"/.exec(html) ?? [];
        const asset = await fetch(`http://127.0.0.1:${port}/${script}`);
        expect(asset.headers.get("cache-control")).toContain("immutable");
        expect(asset.headers.get("content-security-policy")).toContain("frame-ancestors");
        expect((await fetch(`http://127.0.0.1:${port}/none`)).status).toBe(404);
      } finally {
        server.kill("SIGTERM");
        await once(server, "close");
      }
    },
  );

  it("asks any gateway and answers, with its own command", async () => {
    await using network = await startNetwork({ nodes: 1, pace: 0 });
    await using api = await startLocalBotApi();
    const account = await api.telegram.createBot({ token: `${botId}:${"A".repeat(35)}` });
    await copyFile(network.state.path("policy.js"), join(project, "policy.js"));
    const bot = spawn("npm", ["start"], {
      cwd: project,
      env: {
        ...environment(),
        BOT_TOKEN: account.token,
        BOT_API_ROOT: api.url,
        BOMBYX_GATEWAY: network.gateway.url,
        BOMBYX_API_KEY: await botKey(network),
        BOMBYX_POLICY: "policy.js",
        BOT_READY_JSON: "1",
      },
      stdio: ["ignore", "pipe", "inherit"],
      // npm does not hand a signal on; Ctrl-C in a shell reaches the whole group, as here.
      detached: true,
    });
    try {
      await ready(bot);
      const anna = await api.telegram.createPerson();
      expect(account.commands("en", { type: "all_private_chats" })[0]).toEqual({
        command: "brief",
        description: "An answer in one sentence",
      });
      const answers = () =>
        api.telegram.calls
          .filter(({ method, response }) => method === "sendRichMessage" && response?.ok === true)
          .map(({ payload }) => JSON.stringify(payload.rich_message));
      await anna.privateChat(account).send("What is the capital of France?");
      await api.telegram.until(() => answers().length === 1, { timeoutMs: 30_000 });
      expect(answers()[0]).toContain("Paris");
      await anna.privateChat(account).send("/brief What is the capital of Italy?");
      await api.telegram.until(() => answers().length === 2, { timeoutMs: 30_000 });
    } finally {
      if (bot.pid !== undefined) process.kill(-bot.pid, "SIGTERM");
      await once(bot, "close");
    }
  });
});

/** A port that was free a moment ago: nginx takes none by itself. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Resolves with the bot's line; rejects when it ends before it. */
async function ready(bot: ChildProcess): Promise<void> {
  const gone = once(bot, "close").then(() => {
    throw new Error("the fork's bot ended before it was ready");
  });
  gone.catch(() => undefined);
  const line = new Promise<void>((resolve) => {
    if (bot.stdout) {
      createInterface({ input: bot.stdout }).on("line", (text) => {
        if (text.includes('"event":"ready"')) resolve();
      });
    }
  });
  await Promise.race([line, gone]);
}
