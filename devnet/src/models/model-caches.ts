import { join } from "node:path";
import type { FoundModel } from "./found-model.ts";
import { huggingFaceModels, lmStudioModels } from "./gguf-folders.ts";
import { ollamaModels } from "./ollama.ts";

/** Where other programs were told to keep their models instead of below the home directory. */
export interface CacheSettings {
  readonly OLLAMA_MODELS?: string | undefined;
  readonly HF_HUB_CACHE?: string | undefined;
  readonly HF_HOME?: string | undefined;
}

/**
 * GGUF files that Ollama, LM Studio and the Hugging Face cache have on this machine. They are only
 * listed: none is ever loaded unless it is asked for by `MODEL=`.
 */
export async function findModels(home: string, settings: CacheSettings = {}): Promise<FoundModel[]> {
  const hub = settings.HF_HUB_CACHE ?? join(settings.HF_HOME ?? join(home, ".cache", "huggingface"), "hub");
  const sources = [
    ollamaModels(settings.OLLAMA_MODELS ?? join(home, ".ollama", "models")),
    lmStudioModels(join(home, ".lmstudio", "models")),
    lmStudioModels(join(home, ".cache", "lm-studio", "models")),
    huggingFaceModels(hub),
  ];
  const found: FoundModel[] = [];
  for (const source of sources) for await (const model of source) found.push(model);
  return found;
}

/** The line that starts the network with this model, quoted for a shell. */
export function startLine(model: FoundModel): string {
  // Ollama's files are named by their hash, which nobody wants to ask for.
  const name = model.program === "Ollama" ? `MODEL_ID=${shellQuoted(model.name)} ` : "";
  return `${name}MODEL=${shellQuoted(model.path)} npm start`;
}

/** One shell word: as it is when nothing in it is special, else in single quotes. */
export const shellQuoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
