import { useState } from "react";
import type { Step, Waiting } from "../../report.ts";
import { Amount, Facts, Moment, PartyLink } from "./pieces.tsx";

const isWaiting = (one: Step | Waiting): one is Waiting => "waiting" in one;

const keyOf = (one: Step | Waiting): string =>
  isWaiting(one) ? `w${one.due}${one.to.address}${one.told.title}` : one.hash;

/** What a wallet's order was about: the first thing that it sent says more than its signature. */
function headline(step: Step): string {
  const [first, ...others] = step.next;
  if (step.from || !first) return withReceiver(step, step.account.name);
  const more = others.length > 0 ? ` and ${others.length} more` : "";
  return withReceiver(first, isWaiting(first) ? first.to.name : first.account.name) + more;
}

/** Where money went is what people look for in a plain transfer. */
const withReceiver = ({ told }: Step | Waiting, name: string): string =>
  told.title === "Transfer"
    ? `Transfer to ${name}`
    : told.title === "Deploys"
      ? `Deploys ${name}`
      : told.title;

function stateOf(one: Step | Waiting): "waiting" | "refused" | "done" {
  if (isWaiting(one)) return "waiting";
  const below = one.next.map(stateOf);
  if (below.includes("waiting")) return "waiting";
  return one.refused !== undefined || below.includes("refused") ? "refused" : "done";
}

const stateWords = { waiting: "On its way", refused: "Refused", done: "Done" } as const;

/** A list of transactions, each of which opens into the tree of its messages. */
export function Steps({
  steps,
  open,
}: {
  readonly steps: readonly (Step | Waiting)[];
  readonly open?: boolean;
}) {
  if (steps.length === 0) return <p className="none">Nothing has happened here yet.</p>;
  return (
    <ul className="steps">
      {steps.map((one) => (
        <li key={keyOf(one)}>
          {isWaiting(one) ? <Hop one={one} /> : <Card step={one} open={open ?? false} />}
        </li>
      ))}
    </ul>
  );
}

function Card({ step, open }: { readonly step: Step; readonly open: boolean }) {
  const [isOpen, setOpen] = useState(open);
  const state = stateOf(step);
  const subject = step.from ? step : step.next[0];
  return (
    <article className="card" data-state={state}>
      <button type="button" className="card-head" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <span className="badge" data-state={state}>
          {stateWords[state]}
        </span>
        <strong>{headline(step)}</strong>
        {subject && subject.valueNano !== "0" && <Amount nano={subject.valueNano} />}
        <span className="meta">
          <Moment at={subject && !isWaiting(subject) ? subject.at : step.at} /> · block {step.seqno}
        </span>
        <span className="chevron" aria-hidden="true" />
      </button>
      {isOpen && (
        <div className="tree">
          <Hop one={step} />
        </div>
      )}
    </article>
  );
}

function Hop({ one }: { readonly one: Step | Waiting }) {
  const state = isWaiting(one) ? "waiting" : one.refused === undefined ? "done" : "refused";
  const to = isWaiting(one) ? one.to : one.account;
  return (
    <div className="hop" data-state={state}>
      <div className="hop-line">
        {one.from ? <PartyLink party={one.from} /> : <span className="outside">Outside</span>}
        <span className="arrow" aria-hidden="true">
          →
        </span>
        <span className="hidden">to</span>
        <PartyLink party={to} />
        {one.valueNano !== "0" && <Amount nano={one.valueNano} />}
      </div>
      <p className="told">{one.told.title}</p>
      {!isWaiting(one) && one.refused !== undefined && <p className="refused">{one.refused}</p>}
      {isWaiting(one) && <p className="waiting">Arrives with block {one.due}</p>}
      <details>
        <summary>Details</summary>
        <Facts
          facts={[
            ...one.told.facts,
            ...(isWaiting(one)
              ? []
              : ([
                  ["transaction", one.hash],
                  ["logical time", String(one.lt)],
                  ["block", String(one.seqno)],
                ] as const)),
          ]}
        />
        {!isWaiting(one) && (
          <p className="fee">
            Fee <Amount nano={one.feeNano} /> · <a href={`#/tx/${one.hash}`}>the whole tree</a>
          </p>
        )}
      </details>
      {!isWaiting(one) && one.next.length > 0 && (
        <ol className="tree">
          {one.next.map((next) => (
            <li key={keyOf(next)}>
              <Hop one={next} />
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}
