import { BombyxError, type SealedRequest } from "@bombyx/protocol/wire";

type Endpoint = SealedRequest["endpoint"];

const sampling = ["temperature", "top_p", "top_k", "seed", "stop"];

/** Fields that are sealed and reach the node as they are; the enclave judges their values. */
const sealed: Readonly<Record<Endpoint, ReadonlySet<string>>> = {
  "chat.completions": new Set([
    "model",
    "messages",
    "tools",
    "tool_choice",
    "response_format",
    "parallel_tool_calls",
    ...sampling,
  ]),
  completions: new Set(["model", "prompt", ...sampling]),
  embeddings: new Set(["model", "input"]),
};

/** What the caller pays at most: kept here, and sealed as coefficient and ceiling in units. */
const limitsOnPrice = ["max_coefficient", "max_cost_nano"];

/** Fields that this side understands itself. */
const local: Readonly<Record<Endpoint, ReadonlySet<string>>> = {
  "chat.completions": new Set([
    "stream",
    "stream_options",
    "max_tokens",
    "max_completion_tokens",
    ...limitsOnPrice,
  ]),
  completions: new Set(["stream", "stream_options", "max_tokens", ...limitsOnPrice]),
  embeddings: new Set(["encoding_format", ...limitsOnPrice]),
};

/** Says who asks or what OpenAI should keep: removed before sealing (PROTOCOL §5). */
const stripped: ReadonlySet<string> = new Set(["user", "metadata", "store"]);

/** Values that mean "as if it were not there"; client libraries send them unasked. */
const neutral: Readonly<Record<string, unknown>> = {
  n: 1,
  best_of: 1,
  frequency_penalty: 0,
  presence_penalty: 0,
  logprobs: false,
  top_logprobs: 0,
  echo: false,
  parallel_tool_calls: true,
  service_tier: "auto",
};

/**
 * The body to seal: what has no meaning is left out, what cannot be honoured is refused by name.
 * @throws BombyxError UNKNOWN_FIELD
 */
export function sealedFields(
  endpoint: Endpoint,
  body: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(body)) {
    if (value === null || value === undefined || stripped.has(field) || local[endpoint].has(field)) continue;
    if (Object.hasOwn(neutral, field) && neutral[field] === value) continue;
    if (!sealed[endpoint].has(field)) {
      throw new BombyxError("UNKNOWN_FIELD", `${field} is not supported by ${endpoint}; leave it out.`, {
        field,
      });
    }
    kept[field] = field === "messages" && Array.isArray(value) ? value.map(sealedMessage) : value;
  }
  return kept;
}

/**
 * Callers append an answer's message to the conversation as they got it. What answers carry beside
 * their content says nothing to the model: nulls, empty annotations, and reasoning, which templates
 * leave out of earlier turns.
 */
function sealedMessage(message: unknown): unknown {
  if (typeof message !== "object" || message === null || Array.isArray(message)) return message;
  const fields = Object.entries(message).filter(([field, value]) => {
    if (value === null || value === undefined || field === "reasoning_content") return false;
    return !(field === "annotations" && Array.isArray(value) && value.length === 0);
  });
  return Object.fromEntries(fields);
}
