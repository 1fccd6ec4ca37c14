import { basename, join, relative, sep } from "node:path";
import { type FoundModel, filesBelow, ggufBytes, loadsAlone } from "./found-model.ts";

/** LM Studio keeps `models/<publisher>/<model>/<file>.gguf`. */
export async function* lmStudioModels(models: string): AsyncGenerator<FoundModel> {
  for await (const path of ggufFiles(models, 4)) {
    const bytes = await ggufBytes(path);
    if (bytes !== undefined) yield { program: "LM Studio", name: relative(models, path), path, bytes };
  }
}

/** The Hugging Face cache keeps `models--<org>--<name>/snapshots/<commit>/<file>.gguf`, links into its blobs. */
export async function* huggingFaceModels(hub: string): AsyncGenerator<FoundModel> {
  for await (const path of ggufFiles(hub, 5)) {
    const [repository = "", folder] = relative(hub, path).split(sep);
    if (!repository.startsWith("models--") || folder !== "snapshots") continue;
    const bytes = await ggufBytes(path);
    const name = `${repository.slice("models--".length).replaceAll("--", "/")}/${basename(path)}`;
    if (bytes !== undefined) yield { program: "Hugging Face", name, path, bytes };
  }
}

async function* ggufFiles(directory: string, depth: number): AsyncGenerator<string> {
  for await (const path of filesBelow(join(directory), depth)) {
    if (path.toLowerCase().endsWith(".gguf") && loadsAlone(basename(path))) yield path;
  }
}
