import { useEffect, useRef, useState } from "react";

/** Loaded with the first formula; KaTeX writes MathML, which browsers draw by themselves. */
const typesetter = () => import("katex").then((module) => module.default);

/** A formula as Telegram draws it. What no typesetter reads is shown as it was written, and never blank. */
export function Formula({ tex, isDisplay = false }: { tex: string; isDisplay?: boolean }) {
  const place = useRef<HTMLSpanElement>(null);
  const [drawn, setDrawn] = useState<string>();
  useEffect(() => {
    let isWanted = true;
    void typesetter()
      .then((katex) => {
        if (!isWanted || place.current === null) return;
        // Elements, never HTML; no addresses, no styles, no macros that grow without end.
        katex.render(tex, place.current, {
          output: "mathml",
          displayMode: isDisplay,
          throwOnError: true,
          trust: false,
          strict: "ignore",
          maxSize: 20,
          maxExpand: 200,
        });
        setDrawn(tex);
      })
      .catch(() => undefined);
    return () => {
      isWanted = false;
    };
  }, [tex, isDisplay]);
  const isDrawn = drawn === tex;
  return (
    <span className={isDisplay ? "formula display" : "formula"}>
      <span ref={place} hidden={!isDrawn} />
      {!isDrawn && <code>{tex}</code>}
    </span>
  );
}
