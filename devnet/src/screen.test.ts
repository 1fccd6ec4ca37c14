import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { curlLine, offers } from "./screen.ts";

it("prints a curl line that a shell takes apart as it was meant, with the key in its file", () => {
  const line = curlLine({
    proxy: { url: "http://127.0.0.1:11711/v1" },
    apiKeyFile: "/tmp/my devnet/api-key",
    model: "spark",
  });
  // The same words, given to a program that prints its arguments instead of to curl.
  const printed = line.replace(
    /^curl /,
    `"${process.execPath}" -e 'console.log(JSON.stringify(process.argv.slice(1)))' -- `,
  );
  const words = JSON.parse(
    execFileSync("sh", ["-c", printed.replace("$(cat", "$(echo")], { encoding: "utf8" }),
  );
  expect(words).toEqual([
    "-N",
    "http://127.0.0.1:11711/v1/chat/completions",
    "-H",
    "Authorization: Bearer /tmp/my devnet/api-key",
    "-H",
    "Content-Type: application/json",
    "-d",
    expect.stringContaining('"stream":true'),
  ]);
});

it("offers each model with the line that starts it, and says nothing when there is none", () => {
  expect(offers([])).toBe("");
  const text = offers([{ program: "Ollama", name: "qwen3:4b", path: "/m/sha256-ab", bytes: 2_497_293_931 }]);
  expect(text).toContain("MODEL_ID=qwen3:4b MODEL=/m/sha256-ab npm start");
  expect(text).toContain("Ollama: qwen3:4b, 2.5 GB");
});
