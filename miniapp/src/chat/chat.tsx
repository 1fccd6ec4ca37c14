import { type FormEvent, useEffect, useRef, useState } from "react";
import type { Network } from "../network/use-network.ts";
import { type Turn, useConversation } from "./use-conversation.ts";

export function Chat({ network }: { network: Network }) {
  const { turns, answering, ask, stop } = useConversation(network);
  const [draft, setDraft] = useState("");
  const end = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: every new piece of the answer scrolls
  useEffect(() => {
    // Braces, because newer browsers return a promise here, and React would call it to clean up.
    void end.current?.scrollIntoView({ block: "end" });
  }, [turns]);

  const send = (event: FormEvent) => {
    event.preventDefault();
    const question = draft.trim();
    if (!question || answering) return;
    setDraft("");
    void ask(question);
  };

  return (
    <>
      <section className="turns" aria-live="polite">
        {network.state === "refused" && (
          <p className="notice" role="alert">
            Nothing was sent. {network.message} <code>{network.reason}</code>
          </p>
        )}
        {turns.map((turn) => (
          <Bubble key={turn.id} turn={turn} />
        ))}
        <div ref={end} />
      </section>
      <form onSubmit={send}>
        <input
          value={draft}
          onChange={(event) => setDraft(event.target.value)}
          placeholder={placeholder(network)}
          disabled={network.state !== "verified"}
          aria-label="Your question"
          enterKeyHint="send"
        />
        {answering ? (
          <button type="button" onClick={stop}>
            Stop
          </button>
        ) : (
          <button type="submit" disabled={network.state !== "verified" || !draft.trim()}>
            Send
          </button>
        )}
      </form>
    </>
  );
}

function placeholder(network: Network): string {
  switch (network.state) {
    case "verifying":
      return "Verifying the machine…";
    case "refused":
      return "No verified machine";
    case "verified":
      return `Ask ${network.model}`;
  }
}

/** An answer is hostile input: it is shown as text, never as markup. */
function Bubble({ turn }: { turn: Turn }) {
  return (
    <article className={turn.role}>
      {turn.text || (turn.state === "open" ? "…" : "")}
      {turn.state === "cut" && <small>{turn.note}</small>}
    </article>
  );
}
