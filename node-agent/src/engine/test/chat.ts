import { fileURLToPath } from "node:url";
import type { AnswerDelta } from "@bombyx/protocol/wire";
import type { ChatMessage, Engine, EngineJob, EngineProgress, EngineResult } from "../engine.ts";

/** The bundled demo model. */
export const spark = fileURLToPath(new URL("../../../../devnet/models/spark.gguf", import.meta.url));

type ChatJob = Extract<EngineJob, { kind: "chat" }>;

/** A greedy chat request of one user message; `over` changes what a test is about. */
export function chat(text: string | readonly ChatMessage[], over: Partial<ChatJob> = {}): ChatJob {
  return {
    kind: "chat",
    session: "session-a",
    promptTokensMax: 1_000,
    messages: typeof text === "string" ? [{ role: "user", content: text }] : text,
    tools: [],
    toolChoice: "auto",
    stop: [],
    maxTokens: 200,
    temperature: 0,
    ...over,
  };
}

export interface Answer {
  readonly text: string;
  readonly deltas: readonly AnswerDelta[];
  readonly progress: readonly EngineProgress[];
  readonly result: EngineResult;
}

/** Runs a job to its end and collects what it streamed. */
export async function answer(
  engine: Engine,
  job: EngineJob,
  onProgress: (progress: EngineProgress) => void = () => undefined,
  signal: AbortSignal = new AbortController().signal,
): Promise<Answer> {
  const progress: EngineProgress[] = [];
  const result = await engine.run(
    job,
    (one) => {
      progress.push(one);
      onProgress(one);
    },
    signal,
  );
  const deltas = progress.flatMap(({ delta }) => (delta === undefined ? [] : [delta]));
  const text = deltas.map((delta) => ("text" in delta ? delta.text : "")).join("");
  return { text, deltas, progress, result };
}

export interface ToolCall {
  readonly name: string;
  readonly arguments: unknown;
}

/** The tool calls of a streamed answer, put together as a client does it. */
export function toolCalls(deltas: readonly AnswerDelta[]): ToolCall[] {
  const calls: { name: string; text: string }[] = [];
  for (const delta of deltas) {
    if (!("toolCall" in delta)) continue;
    const { index, name, arguments: text } = delta.toolCall;
    const call = calls[index] ?? { name: "", text: "" };
    calls[index] = { name: call.name + (name ?? ""), text: call.text + text };
  }
  return calls.map(({ name, text }) => ({ name, arguments: JSON.parse(text) }));
}
