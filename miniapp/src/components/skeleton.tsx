import "./skeleton.css";

/** Where text will be: `lines` grey bars, and `label` for people who do not see them. */
export function Skeleton({ lines = 3, label }: { lines?: number; label: string }) {
  return (
    <div className="skeleton" role="status">
      <span className="unseen">{label}</span>
      {Array.from({ length: lines }, (_, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: bars have no identity
        <span key={line} aria-hidden="true" />
      ))}
    </div>
  );
}
