import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { chromium } from "playwright-core";
import { build } from "vite";
import type { Sample } from "./sample.ts";
import type { Run, Timings } from "./timed.ts";

/** A contender as one minified script, with all that it needs. */
export async function bundled(contender: "ours" | "theirs"): Promise<{ code: string; gzipBytes: number }> {
  const built = await build({
    configFile: false,
    logLevel: "silent",
    resolve: { conditions: ["bombyx-source", "module", "browser", "production"] },
    define: { "process.env.NODE_ENV": '"production"', global: "globalThis" },
    build: {
      write: false,
      target: "es2022",
      rollupOptions: {
        input: fileURLToPath(new URL(`${contender}.ts`, import.meta.url)),
        output: { format: "es", codeSplitting: false },
      },
    },
  });
  const [result] = [built].flat();
  if (result === undefined || !("output" in result)) throw new Error("nothing was built");
  const code = result.output.flatMap((chunk) => (chunk.type === "chunk" ? [chunk.code] : [])).join("\n");
  return { code, gzipBytes: gzipSync(code, { level: 9 }).length };
}

/** Runs each script in a page of its own. A page of 127.0.0.1 has WebCrypto. */
export async function inChromium(
  executablePath: string,
  scripts: Readonly<Record<string, string>>,
  sample: Sample,
  rounds: number,
): Promise<Record<string, Timings>> {
  const server = createServer((request, response) => {
    const script = scripts[request.url?.slice(1).replace(/\.js$/, "") ?? ""];
    if (request.url?.endsWith(".js")) response.setHeader("content-type", "text/javascript").end(script);
    else response.setHeader("content-type", "text/html").end("<!doctype html><title>bench</title>");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  try {
    const timings: Record<string, Timings> = {};
    for (const name of Object.keys(scripts)) {
      const page = await browser.newPage();
      const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      await page.goto(`${origin}/`);
      await page.addScriptTag({ url: `${origin}/${name}.js`, type: "module" });
      await page.waitForFunction(() => "attestRun" in globalThis);
      timings[name] = await page.evaluate(
        ([given, count]) => (globalThis as unknown as { attestRun: Run }).attestRun(given, count),
        [sample, rounds] as const,
      );
      await page.close();
    }
    return timings;
  } finally {
    await browser.close();
    server.close();
  }
}
