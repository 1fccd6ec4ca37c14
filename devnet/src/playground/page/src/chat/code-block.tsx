import type { ReactNode } from "react";
import { useSay } from "../words.ts";
import { useTaps } from "./links.ts";

export function CodeBlock({
  text,
  language,
  children,
}: {
  text: string;
  language: string | undefined;
  children: ReactNode;
}) {
  const { say } = useSay();
  const { copy } = useTaps();
  return (
    <figure className="pre">
      <figcaption>
        <span>{language || "code"}</span>
        <button type="button" onClick={() => copy(text)}>
          {say("copy")}
        </button>
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre tabIndex={0}>
        <code>{children}</code>
      </pre>
    </figure>
  );
}
