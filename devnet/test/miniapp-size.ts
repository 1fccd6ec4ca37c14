import { gzipSync } from "node:zlib";

/** The page, and what it needs before anything of it can be drawn: its styles, its script, and their imports. */
export async function firstPaintFiles(origin: string): Promise<string[]> {
  const page = `${origin}/`;
  const html = await (await fetch(page)).text();
  const files = new Set([page]);
  const open = [...html.matchAll(/(?:src|href)="(\.\/[^"]+)"/g)].map(
    ([, path]) => new URL(path ?? "", page).href,
  );
  for (let file = open.pop(); file; file = open.pop()) {
    if (files.has(file)) continue;
    files.add(file);
    if (!file.endsWith(".js")) continue;
    const script = await (await fetch(file)).text();
    // Imports that a module cannot run without; `import("…")` is for later.
    for (const [, path] of script.matchAll(/(?:from|import)\s*"(\.[^"]+)"/g)) {
      open.push(new URL(path ?? "", file).href);
    }
  }
  return [...files];
}

/** What these files weigh together as a host sends them, each counted once. */
export async function compressedBytes(files: readonly string[]): Promise<number> {
  const sizes = await Promise.all(
    [...new Set(files.map((file) => file.split("#")[0] ?? file))].map(async (file) => {
      const response = await fetch(file);
      if (!response.ok) throw new Error(`${file}: HTTP ${response.status}`);
      return gzipSync(await response.bytes()).length;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
