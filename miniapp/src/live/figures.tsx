import type { ReactNode } from "react";
import "./figures.css";

/** A few numbers with their names, side by side. */
export function Figures({
  figures,
}: {
  figures: readonly { readonly name: string; readonly value: ReactNode; readonly note?: string }[];
}) {
  return (
    <dl className="figures">
      {figures.map(({ name, value, note }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            {value}
            {note !== undefined && <small> {note}</small>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** How full: `part` of `whole`, with words for people who do not see the bar. */
export function LoadBar({ part, whole, label }: { part: number; whole: number; label: string }) {
  const share = whole > 0 ? Math.min(1, part / whole) : 0;
  return (
    <svg className="load-bar" viewBox="0 0 100 6" preserveAspectRatio="none" role="img" aria-label={label}>
      <rect width="100" height="6" className="load-bar-ground" />
      {share > 0 && <rect width={share * 100} height="6" className="load-bar-part" />}
    </svg>
  );
}

/** One bar per minute, the newest at the right. */
export function Sparkline({ values, label }: { values: readonly number[]; label: string }) {
  const most = Math.max(1, ...values);
  return (
    <svg
      className="sparkline"
      viewBox={`0 0 ${values.length * 4} 32`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      {values.map((value, minute) => {
        const height = value === 0 ? 1 : 3 + (value / most) * 29;
        return (
          <rect
            // biome-ignore lint/suspicious/noArrayIndexKey: a bar is its place
            key={minute}
            x={minute * 4}
            y={32 - height}
            width="3"
            height={height}
            className={value === 0 ? "sparkline-none" : "sparkline-some"}
          />
        );
      })}
    </svg>
  );
}
