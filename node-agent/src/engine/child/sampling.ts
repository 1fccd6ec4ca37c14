import type { LlamaModel } from "node-llama-cpp";
import { smallModelBytes } from "../threads.ts";

export interface Sampler {
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number;
}

/** Defaults for requests that name no sampling; a model this small loses the thread above 0.3. */
export function defaultSampler(model: LlamaModel): Sampler {
  return { temperature: model.size < smallModelBytes ? 0.2 : 0.7, topP: 0.95, topK: 40 };
}

export function samplerOf(
  asked: { readonly temperature?: number; readonly topP?: number; readonly topK?: number },
  defaults: Sampler,
): Sampler {
  return {
    temperature: asked.temperature ?? defaults.temperature,
    topP: asked.topP ?? defaults.topP,
    topK: asked.topK ?? defaults.topK,
  };
}

/** 32 bits, unsigned; drawn when the request names none, and reported either way. */
export const seedOf = (asked: number | undefined): number =>
  asked === undefined ? (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) : asked >>> 0;
