import { useEffect, useRef, useState } from "react";

/** Fetched with the first formula, so that answers without one do not wait for it. It writes MathML. */
const typesetter = () => import("katex").then((module) => module.default);

/** Longer than any that people read. */
const longest = 4_000;

/**
 * A formula, drawn by the browser itself. It is hostile input: elements and no HTML, no addresses, no styles, macros
 * that end. What cannot be drawn is shown as it was written.
 */
export function Formula({ tex, displayed = false }: { tex: string; displayed?: boolean }) {
  const place = useRef<HTMLSpanElement>(null);
  const [drawn, setDrawn] = useState<string>();
  useEffect(() => {
    let wanted = tex.length <= longest;
    void typesetter()
      .then((katex) => {
        if (!wanted || place.current === null) return;
        katex.render(tex, place.current, {
          output: "mathml",
          displayMode: displayed,
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
      wanted = false;
    };
  }, [tex, displayed]);
  const isDrawn = drawn === tex;
  return (
    <span className="formula" data-displayed={displayed || undefined} dir="ltr">
      <span ref={place} hidden={!isDrawn} />
      {!isDrawn && <code>{tex}</code>}
    </span>
  );
}
