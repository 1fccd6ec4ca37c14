/** The part of OpenAI's chat completions that Bombyx speaks; field names and meanings are OpenAI's. */

export interface FunctionTool {
  type: "function";
  function: {
    name: string;
    description?: string;
    parameters?: Readonly<Record<string, unknown>>;
    strict?: boolean;
  };
}

export interface ToolCall {
  id: string;
  type: "function";
  function: { name: string; arguments: string };
}

type Text = string | readonly { readonly type: "text"; readonly text: string }[];

export type ChatMessage =
  | { role: "system" | "developer" | "user"; content: Text }
  | {
      role: "assistant";
      content?: Text | null;
      tool_calls?: readonly ToolCall[];
      /** As answers carry them; not sealed. */
      refusal?: null;
      reasoning_content?: string;
    }
  | { role: "tool"; content: Text; tool_call_id: string };

export type ResponseFormat =
  | { type: "text" }
  | { type: "json_object" }
  | {
      type: "json_schema";
      json_schema: {
        name: string;
        description?: string;
        schema: Readonly<Record<string, unknown>>;
        strict?: boolean;
      };
    };

export interface StreamOptions {
  /** Adds a last chunk with `usage` and no choices. */
  include_usage?: boolean;
}

/** Sampling, shared by chat and plain completions. */
export interface Sampling extends PriceFields {
  temperature?: number;
  top_p?: number;
  top_k?: number;
  seed?: number;
  stop?: string | readonly string[];
  /** @default 1024 */
  max_tokens?: number;
}

export interface ChatCompletionRequest extends Sampling {
  model: string;
  messages: readonly ChatMessage[];
  stream?: boolean;
  stream_options?: StreamOptions;
  max_completion_tokens?: number;
  tools?: readonly FunctionTool[];
  tool_choice?: "none" | "auto" | "required" | { type: "function"; function: { name: string } };
  response_format?: ResponseFormat;
  /** Chooses the session (one per user); never leaves this machine. */
  user?: string;
}

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details: { cached_tokens: number };
  completion_tokens_details: { reasoning_tokens: number };
  /** Billed, over all attempts. */
  units: number;
  /** nanoTON as a decimal string, over all attempts. */
  cost_nano: string;
}

/** What a request may cost; Bombyx's own fields, which never leave this side as they are. */
export interface PriceFields {
  /** Nodes that ask more of the gateway's price are passed over, in 1/1000. @default the client's `maxCoefficient` */
  max_coefficient?: number;
  /** nanoTON as a decimal string, over all attempts; the answer stops there with finish reason `length`. */
  max_cost_nano?: string;
}

/** What Bombyx adds to an answer. */
export interface BombyxExtension {
  /** nanoTON as a decimal string, over all attempts. */
  costNano: string;
  /** Node id of who finished the answer. */
  node: string;
  /** The client's own verdict: true when the hardware was simulated. */
  simulated: boolean;
  /** What the client found when it recomputed the node's receipt. */
  receipt: "verified" | "missing" | "invalid";
}

export type FinishReason = "stop" | "length" | "tool_calls";

export interface ChatCompletion {
  id: string;
  object: "chat.completion";
  created: number;
  model: string;
  choices: [
    {
      index: 0;
      message: {
        role: "assistant";
        content: string | null;
        refusal: null;
        reasoning_content?: string;
        tool_calls?: ToolCall[];
      };
      finish_reason: FinishReason;
      logprobs: null;
    },
  ];
  usage: Usage;
  bombyx: BombyxExtension;
}

export interface ToolCallDelta {
  index: number;
  id?: string;
  type?: "function";
  function: { name?: string; arguments: string };
}

export interface ChatCompletionChunk {
  id: string;
  object: "chat.completion.chunk";
  created: number;
  model: string;
  /** Empty in the usage chunk, else one. */
  choices: {
    index: 0;
    delta: {
      role?: "assistant";
      content?: string;
      reasoning_content?: string;
      tool_calls?: ToolCallDelta[];
    };
    finish_reason: FinishReason | null;
    logprobs: null;
  }[];
  /** Only with `stream_options.include_usage`: null until the last chunk. */
  usage?: Usage | null;
  /** On the chunk that carries the finish reason. */
  bombyx?: BombyxExtension;
}
