import { Agent, request } from "node:http";
import type { OpenStream } from "./stream-load.ts";

const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
const content = /"content":"(\d+)"/g;

/** Streams OpenAI chunks from `url`; the same client for direct, nginx and Portkey. */
export const sseStream =
  (url: string, headers: Record<string, string> = {}): OpenStream =>
  (tokens, onStamp) =>
    new Promise((resolve, reject) => {
      const body = JSON.stringify({
        model: "m",
        stream: true,
        max_tokens: tokens,
        messages: [{ role: "user", content: "hello" }],
      });
      const call = request(
        `${url}/v1/chat/completions`,
        {
          method: "POST",
          agent,
          headers: {
            "content-type": "application/json",
            "content-length": Buffer.byteLength(body),
            ...headers,
          },
        },
        (response) => {
          if (response.statusCode !== 200) {
            response.resume();
            reject(new Error(`HTTP ${response.statusCode}`));
            return;
          }
          let pending = "";
          response.setEncoding("latin1");
          response.on("data", (text: string) => {
            pending += text;
            const end = pending.lastIndexOf("\n\n");
            if (end < 0) return;
            for (const match of pending.slice(0, end).matchAll(content)) onStamp(Number(match[1]));
            pending = pending.slice(end);
          });
          response.on("end", resolve);
          response.on("error", reject);
        },
      );
      call.on("error", reject);
      call.end(body);
    });
