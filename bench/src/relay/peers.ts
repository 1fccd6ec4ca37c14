import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { relayCore, stop } from "./pinned.ts";
import { sseStream } from "./sse-client.ts";
import type { Streams } from "./stream-load.ts";

/** A relay under test: how to stream through it, and whose CPU counts. */
export interface Relay extends Streams {
  readonly name: string;
  /** Empty for `direct`. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

export const directRelay = (source: string): Relay => ({
  name: "direct",
  ...sseStream(source),
  pids: [],
  stop: async () => {},
});

/** @returns `undefined` when nginx is not installed. */
export async function nginxRelay(source: string): Promise<Relay | undefined> {
  if (spawnSync("nginx", ["-v"]).error) return undefined;
  const directory = mkdtempSync(join(tmpdir(), "bombyx-nginx-"));
  const port = await freePort();
  const upstream = new URL(source).host;
  writeFileSync(
    join(directory, "nginx.conf"),
    `daemon off; master_process off; worker_processes 1; pid ${directory}/pid; error_log ${directory}/error.log crit;
events { worker_connections 8192; }
http { access_log off; client_body_temp_path ${directory}/b; proxy_temp_path ${directory}/p; fastcgi_temp_path ${directory}/f; uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
 upstream source { server ${upstream}; keepalive 1024; }
 server { listen 127.0.0.1:${port} backlog=4096; location / { proxy_pass http://source; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; proxy_read_timeout 300s; } } }`,
  );
  const child = spawn(
    "taskset",
    ["-c", relayCore, "nginx", "-p", directory, "-c", join(directory, "nginx.conf")],
    {
      stdio: "ignore",
    },
  );
  const url = `http://127.0.0.1:${port}`;
  await answers(url);
  return {
    name: "nginx",
    ...sseStream(url),
    pids: [child.pid ?? 0],
    stop: async () => {
      await stop(child);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const portkeyFolder = fileURLToPath(new URL("../../peers/node_modules/@portkey-ai/gateway", import.meta.url));

/** @returns `undefined` when the peers are not installed. */
export async function portkeyRelay(source: string): Promise<Relay | undefined> {
  const entry = join(portkeyFolder, "build/start-server.js");
  if (!existsSync(entry)) return undefined;
  const port = await freePort();
  const child = spawn("taskset", ["-c", relayCore, process.execPath, entry, "--headless", `--port=${port}`], {
    stdio: "ignore",
    env: { PATH: process.env.PATH ?? "", NODE_ENV: "production" },
  });
  const url = `http://127.0.0.1:${port}`;
  await answers(url);
  const { version } = JSON.parse(readFileSync(join(portkeyFolder, "package.json"), "utf8")) as {
    version: string;
  };
  return {
    name: `portkey ${version}`,
    ...sseStream(url, {
      authorization: "Bearer none",
      "x-portkey-provider": "openai",
      "x-portkey-custom-host": `${source}/v1`,
    }),
    pids: [child.pid ?? 0],
    stop: () => stop(child),
  };
}

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = address && typeof address === "object" ? address.port : 0;
      server.close(() => resolve(port));
    });
  });

/** Resolves when anything answers HTTP at `url`. @throws Error after 20 s. */
async function answers(url: string): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (performance.now() < deadline) {
    const up = await new Promise<boolean>((resolve) => {
      const probe = request(url, (response) => {
        response.resume();
        resolve(true);
      });
      probe.on("error", () => resolve(false));
      probe.end();
    });
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing answers at ${url}`);
}
