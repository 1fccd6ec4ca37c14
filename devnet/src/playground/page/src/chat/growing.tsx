import { createContext, use, useRef } from "react";

/** True inside a draft: text that is added fades in, as Telegram shows an answer that is being written. */
export const GrowingContext = createContext(false);

/** Older pieces have long faded in; they become one. */
const keptPieces = 24;

/** Text of a message; inside a draft each addition is a piece of its own that fades in. */
export function Growing({ text }: { text: string }) {
  return use(GrowingContext) ? <GrowingPieces text={text} /> : text;
}

function GrowingPieces({ text }: { text: string }) {
  const cuts = useRef<{ text: string; at: number[] }>({ text: "", at: [] });
  const last = cuts.current;
  if (last.text !== text) {
    const at = text.startsWith(last.text) ? [...last.at, last.text.length].slice(-keptPieces) : [0];
    cuts.current = { text, at };
  }
  const { at } = cuts.current;
  const [first = 0] = at;
  return (
    <>
      {first > 0 && <span>{text.slice(0, first)}</span>}
      {at.map((from, index) => (
        <span key={from} className="grown">
          {text.slice(from, at[index + 1])}
        </span>
      ))}
    </>
  );
}
