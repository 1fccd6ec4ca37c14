import * as z from "zod";

const chunkSchema = z.object({
  choices: z.array(
    z.object({
      delta: z.object({ content: z.string().nullish() }),
      finish_reason: z.string().nullable(),
    }),
  ),
});
export type Chunk = z.infer<typeof chunkSchema>;

/** The chunks of an OpenAI event stream, as they come; ends at `[DONE]`, which must be there. */
export async function* chunks(response: Response): AsyncGenerator<Chunk> {
  if (!response.ok || !response.body) throw new Error(`${response.status}: ${await response.text()}`);
  let pending = "";
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    pending += text;
    for (let end = pending.indexOf("\n\n"); end >= 0; end = pending.indexOf("\n\n")) {
      const data = pending.slice(0, end).replace(/^data: /, "");
      pending = pending.slice(end + 2);
      if (data === "[DONE]") return;
      if (!data.startsWith(":")) yield chunkSchema.parse(JSON.parse(data));
    }
  }
  throw new Error(`the event stream ended without [DONE], after ${JSON.stringify(pending)}`);
}

/** What a stream said, whole, and in how many pieces. */
export async function collect(
  stream: AsyncIterable<Chunk>,
): Promise<{ text: string; pieces: number; finish: string | null }> {
  let text = "";
  let pieces = 0;
  let finish: string | null = null;
  for await (const chunk of stream) {
    const [choice] = chunk.choices;
    if (choice?.delta.content) {
      text += choice.delta.content;
      pieces++;
    }
    finish = choice?.finish_reason ?? finish;
  }
  return { text, pieces, finish };
}

/** POST to an endpoint of the proxy. */
export function post(
  network: { proxy: string; apiKey: string },
  path: string,
  body: unknown,
): Promise<Response> {
  return fetch(`${network.proxy}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${network.apiKey}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

export const user = (content: string) => [{ role: "user" as const, content }];
