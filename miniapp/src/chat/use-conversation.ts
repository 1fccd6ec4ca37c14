import { useRef, useState } from "react";
import type { Network } from "../network/use-network.ts";

export interface Turn {
  readonly id: number;
  readonly role: "user" | "assistant";
  readonly text: string;
  /** `cut`: incomplete; `note` says why. */
  readonly state: "open" | "done" | "cut";
  readonly note?: string;
}

/** The conversation lives in this page only. */
export function useConversation(network: Network) {
  const [turns, setTurns] = useState<readonly Turn[]>([]);
  const [answering, setAnswering] = useState(false);
  const abort = useRef<AbortController>(undefined);

  const ask = async (question: string): Promise<void> => {
    if (network.state !== "verified") return;
    const id = turns.length;
    const history = [...turns, { id, role: "user", text: question, state: "done" } as const];
    let answer: Turn = { id: id + 1, role: "assistant", text: "", state: "open" };
    const show = (change: Partial<Turn>) => {
      answer = { ...answer, ...change };
      setTurns([...history, answer]);
    };
    show({});
    setAnswering(true);
    const controller = new AbortController();
    abort.current = controller;
    try {
      const stream = await network.client.chat.completions.create(
        {
          model: network.model,
          stream: true,
          messages: history.map(({ role, text }) => ({ role, content: text })),
        },
        { signal: controller.signal },
      );
      for await (const chunk of stream) show({ text: answer.text + (chunk.choices[0]?.delta.content ?? "") });
      show({ state: "done" });
    } catch (error) {
      const note = controller.signal.aborted
        ? "Stopped."
        : error instanceof Error
          ? error.message
          : "The answer was cut.";
      show({ state: "cut", note });
    } finally {
      setAnswering(false);
    }
  };

  return { turns, answering, ask, stop: () => abort.current?.abort() };
}
