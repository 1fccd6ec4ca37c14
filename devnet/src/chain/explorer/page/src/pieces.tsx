import { useState } from "react";
import { gram } from "../../gram.ts";
import type { Party } from "../../report.ts";

export const short = (text: string): string =>
  text.length > 16 ? `${text.slice(0, 6)}…${text.slice(-5)}` : text;

export function Amount({ nano }: { readonly nano: string }) {
  const [number, unit] = gram(BigInt(nano)).split(/ (?=GRAM$)/);
  const [whole, rest] = (number ?? "").split(".");
  return (
    <span className="amount">
      {whole}
      {rest && <span className="rest">.{rest}</span>} <span className="unit">{unit}</span>
    </span>
  );
}

export function PartyLink({ party }: { readonly party: Party }) {
  return (
    <a className="party" data-kind={party.kind} href={`#/account/${party.address}`} title={party.address}>
      <i aria-hidden="true" />
      <b>{party.name}</b> <span>{short(party.address)}</span>
    </a>
  );
}

const clock = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
export const Moment = ({ at }: { readonly at: number }) => (
  <time dateTime={new Date(at).toISOString()}>{clock.format(at)}</time>
);

export function Copy({ text, name }: { readonly text: string; readonly name: string }) {
  const [isDone, setDone] = useState(false);
  return (
    <button
      type="button"
      className="copy"
      aria-label={`Copy ${name}`}
      onClick={() => {
        void navigator.clipboard.writeText(text).then(() => {
          setDone(true);
          setTimeout(() => setDone(false), 1_400);
        });
      }}
    >
      {isDone ? "Copied" : "Copy"}
    </button>
  );
}

const amountPattern = /^[\d ]+(\.\d+)? GRAM$/;

export function Facts({ facts }: { readonly facts: readonly (readonly [string, string])[] }) {
  if (facts.length === 0) return null;
  return (
    <dl className="facts">
      {facts.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd className={amountPattern.test(value) || value.length < 24 ? "" : "code"}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
