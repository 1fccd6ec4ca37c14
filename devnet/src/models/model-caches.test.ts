import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findModels, shellQuoted, startLine } from "./model-caches.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "bombyx-home-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const gguf = Buffer.concat([Buffer.from("GGUF"), Buffer.alloc(96)]);
async function put(path: string, content: Uint8Array | string): Promise<string> {
  const whole = join(home, path);
  await mkdir(dirname(whole), { recursive: true });
  await writeFile(whole, content);
  return whole;
}

describe("models that other programs left on this machine", () => {
  it("finds none in an empty home, and does not mind", async () => {
    expect(await findModels(home)).toEqual([]);
  });

  it("finds Ollama's by their manifests and names them as Ollama does", async () => {
    const digest = "ab".repeat(32);
    const other = "cd".repeat(32);
    const manifest = (model: string) =>
      JSON.stringify({
        schemaVersion: 2,
        layers: [
          {
            mediaType: "application/vnd.ollama.image.template",
            digest: `sha256:${"00".repeat(32)}`,
            size: 4,
          },
          { mediaType: "application/vnd.ollama.image.model", digest: `sha256:${model}`, size: gguf.length },
        ],
      });
    await put(".ollama/models/manifests/registry.ollama.ai/library/qwen3/4b", manifest(digest));
    await put(".ollama/models/manifests/registry.ollama.ai/someone/tuned/latest", manifest(other));
    await put(".ollama/models/manifests/registry.ollama.ai/library/pulling/7b", manifest("ef".repeat(32)));
    await put(".ollama/models/manifests/registry.ollama.ai/library/broken/1b", "{");
    const blob = await put(`.ollama/models/blobs/sha256-${digest}`, gguf);
    await put(`.ollama/models/blobs/sha256-${other}`, gguf);

    const found = await findModels(home);
    expect(found.map(({ program, name }) => [program, name])).toEqual([
      ["Ollama", "qwen3:4b"],
      ["Ollama", "someone/tuned:latest"],
    ]);
    expect(found[0]).toMatchObject({ path: blob, bytes: 100 });
  });

  it("finds LM Studio's in both of its places", async () => {
    await put(".lmstudio/models/qwen/Qwen3-4B-GGUF/qwen3-4b-q4.gguf", gguf);
    await put(".cache/lm-studio/models/old/Model-GGUF/old.gguf", gguf);
    expect((await findModels(home)).map((model) => model.name)).toEqual([
      "qwen/Qwen3-4B-GGUF/qwen3-4b-q4.gguf",
      "old/Model-GGUF/old.gguf",
    ]);
  });

  it("finds those of the Hugging Face cache through its links", async () => {
    const blob = await put(".cache/huggingface/hub/models--Qwen--Qwen3-4B-GGUF/blobs/f00", gguf);
    const link = join(
      home,
      ".cache/huggingface/hub/models--Qwen--Qwen3-4B-GGUF/snapshots/abc/Qwen3-4B-Q8_0.gguf",
    );
    await mkdir(dirname(link), { recursive: true });
    await symlink(blob, link);
    expect(await findModels(home)).toEqual([
      { program: "Hugging Face", name: "Qwen/Qwen3-4B-GGUF/Qwen3-4B-Q8_0.gguf", path: link, bytes: 100 },
    ]);
  });

  it("follows the places that the programs themselves were told", async () => {
    await put("elsewhere/models--a--b/snapshots/1/x.gguf", gguf);
    expect(await findModels(home, { HF_HUB_CACHE: join(home, "elsewhere") })).toHaveLength(1);
    expect(await findModels(home)).toHaveLength(0);
  });

  it("leaves out what cannot be loaded alone: no GGUF, a projector, parts, a broken link", async () => {
    await put(".lmstudio/models/a/b/mmproj-f16.gguf", gguf);
    await put(".lmstudio/models/a/b/big-00002-of-00003.gguf", gguf);
    await put(".lmstudio/models/a/b/page.gguf", "<!doctype html>");
    await symlink(join(home, "gone"), join(home, ".lmstudio/models/a/b/gone.gguf"));
    await put(".lmstudio/models/a/b/whole.gguf", gguf);
    expect((await findModels(home)).map((model) => model.name)).toEqual(["a/b/whole.gguf"]);
  });

  it("passes over a place that cannot be listed", async () => {
    await put(".lmstudio/models", "a file where a folder should be");
    await put(".cache/lm-studio/models/open/b/x.gguf", gguf);
    expect(await findModels(home)).toHaveLength(1);
  });

  it("offers a line that a shell reads as it was meant", async () => {
    const path = await put(".lmstudio/models/it's mine/b/$(x) y.gguf", gguf);
    const [model] = await findModels(home);
    if (!model) throw new Error("the model was not found");
    expect(startLine(model)).toMatch(/^MODEL='.*' npm start$/);
    const echoed = await promisify(execFile)("sh", ["-c", `printf %s ${shellQuoted(model.path)}`]);
    expect(echoed.stdout).toBe(path);
  });
});
