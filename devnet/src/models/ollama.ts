import { readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import * as z from "zod";
import { type FoundModel, filesBelow, ggufBytes } from "./found-model.ts";

const manifestSchema = z.object({
  layers: z.array(z.object({ mediaType: z.string(), digest: z.string().regex(/^sha256:[0-9a-f]{64}$/) })),
});
const modelLayer = "application/vnd.ollama.image.model";

/** Ollama keeps `manifests/<registry>/<namespace>/<model>/<tag>` (JSON) and `blobs/sha256-<digest>`. */
export async function* ollamaModels(models: string): AsyncGenerator<FoundModel> {
  const manifests = join(models, "manifests");
  for await (const path of filesBelow(manifests, 4)) {
    const manifest = manifestSchema.safeParse(await readJson(path));
    const layer = manifest.data?.layers.find((one) => one.mediaType === modelLayer);
    if (!layer) continue;
    const blob = join(models, "blobs", layer.digest.replace(":", "-"));
    const bytes = await ggufBytes(blob);
    if (bytes === undefined) continue;
    yield { program: "Ollama", name: modelName(relative(manifests, path)), path: blob, bytes };
  }
}

/** `registry.ollama.ai/library/qwen3/4b` is called `qwen3:4b`; other namespaces keep their name. */
function modelName(path: string): string {
  const parts = path.split(sep);
  const tag = parts.pop() ?? "latest";
  if (parts[0] === "registry.ollama.ai") parts.shift();
  if (parts[0] === "library") parts.shift();
  return `${parts.join("/")}:${tag}`;
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    return undefined;
  }
}
