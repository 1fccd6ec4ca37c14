import { toBase64 } from "@bombyx/protocol/wire";
import type { AnswerEvent } from "../answer/answer.ts";
import type { EmbeddingResponse } from "./completion-types.ts";
import { extensionOf } from "./render.ts";

/** Embeddings in OpenAI's shape; the vectors of one input may come in several pieces, in order. */
export async function embeddingResponse(
  events: AsyncIterable<AnswerEvent>,
  model: string,
  format: "float" | "base64",
): Promise<EmbeddingResponse> {
  const vectors = new Map<number, number[]>();
  for await (const event of events) {
    if (event.type === "delta" && "embedding" in event.delta) {
      const { index, values } = event.delta.embedding;
      const known = vectors.get(index);
      if (known) for (const value of values) known.push(value);
      else vectors.set(index, [...values]);
    } else if (event.type === "restart") vectors.clear();
    else if (event.type === "done") {
      const { counts, units, costNano } = event.summary;
      const { promptTokens } = counts;
      return {
        object: "list",
        data: [...vectors]
          .sort(([a], [b]) => a - b)
          .map(([index, values]) => ({
            object: "embedding",
            index,
            embedding: format === "base64" ? floatsAsBase64(values) : values,
          })),
        model,
        usage: {
          prompt_tokens: promptTokens,
          total_tokens: promptTokens,
          units,
          cost_nano: costNano.toString(),
        },
        bombyx: extensionOf(event.summary),
      };
    }
  }
  throw new RangeError("an answer ends with done or an error");
}

function floatsAsBase64(values: readonly number[]): string {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) view.setFloat32(index * 4, value, true);
  return toBase64(bytes);
}
