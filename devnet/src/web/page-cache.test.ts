import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { builtPage, type PageRecipe, runTool } from "./page-cache.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "bombyx-pages-"));
  await mkdir(join(root, "src"));
  await writeFile(join(root, "src/main.ts"), "1");
});
afterEach(() => rm(root, { recursive: true, force: true }));

const { signal } = new AbortController();

function recipe(
  build: PageRecipe["build"] = (out) => writeFile(join(out, "index.html"), "built"),
): PageRecipe & {
  builds: number;
} {
  const counted = {
    name: "page",
    sources: [join(root, "src"), join(root, "lock.json")],
    builds: 0,
    build: (out: string, stop: AbortSignal) => {
      counted.builds++;
      return build(out, stop);
    },
  };
  return counted;
}

it("builds once, and again when a source changes, appears or goes", async () => {
  const page = recipe();
  const cache = join(root, "cache");
  const first = await builtPage(cache, page, signal);
  expect(await readFile(join(first, "index.html"), "utf8")).toBe("built");
  expect(await builtPage(cache, page, signal)).toBe(first);
  expect(page.builds).toBe(1);

  await writeFile(join(root, "lock.json"), "{}");
  await writeFile(join(root, "src/main.test.ts"), "a test is no source of a page");
  const second = await builtPage(cache, page, signal);
  expect(second).not.toBe(first);
  await rm(join(root, "lock.json"));
  expect(await builtPage(cache, page, signal)).toBe(first);
  expect(page.builds).toBe(2);
});

it("leaves nothing that looks built when the tool fails, and says the tool's own words", async () => {
  const cache = join(root, "cache");
  const failing = recipe(async (out, stop) => {
    await writeFile(join(out, "index.html"), "half");
    await runTool(process.execPath, ["-e", "console.error('no such module'); process.exit(3)"], {
      signal: stop,
    });
  });
  await expect(builtPage(cache, failing, signal)).rejects.toThrow(/exit code 3:\nno such module/);
  const page = recipe();
  expect(await readFile(join(await builtPage(cache, page, signal), "index.html"), "utf8")).toBe("built");
  expect(page.builds).toBe(1);
});

it("forgets what nobody has used for two days", async () => {
  const cache = join(root, "cache");
  const old = await builtPage(cache, recipe(), signal);
  const before = (Date.now() - 2 * 24 * 60 * 60_000) / 1_000;
  await utimes(old, before, before);
  await writeFile(join(root, "src/main.ts"), "2");
  await builtPage(cache, recipe(), signal);
  await expect(readFile(join(old, "index.html"))).rejects.toThrow(/ENOENT/);
});
