import type {
  BombyxExtension,
  FinishReason,
  PriceFields,
  Sampling,
  StreamOptions,
  Usage,
} from "./chat-types.ts";

/** OpenAI's plain completions, one prompt at a time. */
export interface CompletionRequest extends Sampling {
  model: string;
  prompt: string;
  stream?: boolean;
  stream_options?: StreamOptions;
  user?: string;
}

export interface Completion {
  id: string;
  object: "text_completion";
  created: number;
  model: string;
  choices: [{ index: 0; text: string; finish_reason: FinishReason; logprobs: null }];
  usage: Usage;
  bombyx: BombyxExtension;
}

export interface CompletionChunk {
  id: string;
  object: "text_completion";
  created: number;
  model: string;
  choices: { index: 0; text: string; finish_reason: FinishReason | null; logprobs: null }[];
  usage?: Usage | null;
  bombyx?: BombyxExtension;
}

export interface EmbeddingRequest extends PriceFields {
  model: string;
  /** At most 64. */
  input: string | readonly string[];
  /** `base64`: little-endian 32-bit floats. @default "float" */
  encoding_format?: "float" | "base64";
  user?: string;
}

export interface EmbeddingResponse {
  object: "list";
  data: { object: "embedding"; index: number; embedding: number[] | string }[];
  model: string;
  usage: { prompt_tokens: number; total_tokens: number; units: number; cost_nano: string };
  bombyx: BombyxExtension;
}

export interface Model {
  id: string;
  object: "model";
  created: number;
  owned_by: string;
  contextTokens: number;
  /** How many nodes serve it now. */
  nodes: number;
}

export interface ModelList {
  object: "list";
  data: Model[];
}
