import { type ReactNode, useState } from "react";
import { useTaps } from "./links.ts";

/** Looks like a link and asks first; it is a button, so that no middle click and no prefetch opens it. */
export function TextLink({ url, children }: { url: string; children: ReactNode }) {
  const { link } = useTaps();
  return (
    <button type="button" className="link" title={url} onClick={() => link(url)}>
      {children}
    </button>
  );
}

export function CommandLink({ text, children }: { text: string; children: ReactNode }) {
  const { command } = useTaps();
  return (
    <button type="button" className="link" onClick={() => command(text)}>
      {children}
    </button>
  );
}

export function InlineCode({ text, children }: { text: string; children: ReactNode }) {
  const { copy } = useTaps();
  return (
    <button type="button" className="code" onClick={() => copy(text)}>
      <code>{children}</code>
    </button>
  );
}

export function Spoiler({ children }: { children: ReactNode }) {
  const [isShown, setShown] = useState(false);
  if (isShown) return <span className="spoiler shown">{children}</span>;
  return (
    <button type="button" className="spoiler" aria-label="spoiler" onClick={() => setShown(true)}>
      <span aria-hidden="true">{children}</span>
    </button>
  );
}
