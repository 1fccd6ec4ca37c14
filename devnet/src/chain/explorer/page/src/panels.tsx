import { type FormEvent, useState } from "react";
import type { AccountReport, EpochReport, Overview } from "../../report.ts";
import { command } from "./ask.ts";
import { Amount, Moment, PartyLink } from "./pieces.tsx";

const epochWords = { pending: "Pending", final: "Final", stopped: "Stopped" } as const;

export function Epochs({ epochs }: { readonly epochs: readonly EpochReport[] }) {
  if (epochs.length === 0)
    return <p className="none">No epoch is committed yet. The first commit says what nodes earned so far.</p>;
  return (
    <ul className="epochs">
      {epochs.map((one) => (
        <li key={one.hash}>
          <a href={`#/tx/${one.hash}`}>
            <strong>Epoch {one.epoch}</strong>
            <span className="badge" data-state={one.state}>
              {epochWords[one.state]}
            </span>
            <Amount nano={one.committedNano} />
            <span className="meta">
              {one.requests} requests · {one.units} units ·{" "}
              {one.finalAt === undefined ? (
                <Moment at={one.at} />
              ) : (
                <>
                  final at <Moment at={one.finalAt} />
                </>
              )}
            </span>
          </a>
        </li>
      ))}
    </ul>
  );
}

const order = ["vault", "registry", "channel", "node-account", "wallet", "faucet", "other", "empty"];

export function Accounts({ accounts }: { readonly accounts: readonly AccountReport[] }) {
  const sorted = [...accounts].sort((a, b) => order.indexOf(a.party.kind) - order.indexOf(b.party.kind));
  return (
    <ul className="accounts">
      {sorted.map(({ party, balanceNano }) => (
        <li key={party.address}>
          <PartyLink party={party} />
          {party.kind === "faucet" ? (
            <span className="meta">never empty</span>
          ) : (
            <Amount nano={balanceNano} />
          )}
        </li>
      ))}
    </ul>
  );
}

export function VaultTotals({ totals }: { readonly totals: Overview["vault"] }) {
  return (
    <dl className="totals">
      {totals.map(([label, nano]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>
            <Amount nano={nano} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

type Say = (words: string) => void;

/** Nano of what a person typed. @throws Error that says what is wrong */
function nanoOf(text: string): string {
  const match = /^\s*(\d{1,9})(?:[.,](\d{1,9}))?\s*$/.exec(text);
  const nano = match
    ? BigInt(match[1] ?? "0") * 1_000_000_000n + BigInt((match[2] ?? "").padEnd(9, "0"))
    : 0n;
  if (nano <= 0n) throw new Error("Type how many GRAM, such as 10 or 0.5.");
  return String(nano);
}

export function FaucetForm({ address, onSaid }: { readonly address?: string; readonly onSaid: Say }) {
  const [to, setTo] = useState("");
  const [amount, setAmount] = useState("10");
  const [isBusy, setBusy] = useState(false);
  const give = async () => {
    setBusy(true);
    try {
      await command("faucet", { address: address ?? to, nano: nanoOf(amount) });
      onSaid(`The faucet sent ${amount} GRAM.`);
    } catch (error) {
      onSaid((error as Error).message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      className="faucet"
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        void give();
      }}
    >
      {address === undefined && (
        <label>
          To
          <input
            name="to"
            required
            placeholder="An address"
            autoComplete="off"
            spellCheck={false}
            value={to}
            onChange={(event) => setTo(event.target.value)}
          />
        </label>
      )}
      <label className="small">
        GRAM
        <input
          name="amount"
          inputMode="decimal"
          required
          value={amount}
          onChange={(event) => setAmount(event.target.value)}
        />
      </label>
      <button type="submit" className="primary" disabled={isBusy}>
        Send from the faucet
      </button>
    </form>
  );
}

const hourMs = 3_600_000;
const skips = [
  ["1 h", hourMs],
  ["24 h", 24 * hourMs],
  ["72 h", 72 * hourMs],
] as const;

export function TimeControl({ onSaid }: { readonly onSaid: Say }) {
  const skip = (words: string, ms: number) =>
    command("advance", { ms }).then(
      () => onSaid(`${words} have passed for the contracts.`),
      (error: Error) => onSaid(error.message),
    );
  return (
    <div className="skips">
      {skips.map(([words, ms]) => (
        <button
          key={words}
          type="button"
          title={`Let ${words} pass for the contracts`}
          onClick={() => void skip(words, ms)}
        >
          +{words}
        </button>
      ))}
    </div>
  );
}
