import { type FormEvent, useCallback, useEffect, useState } from "react";
import type { AccountReport, Overview, Step, Waiting } from "../../report.ts";
import { Accounts, Epochs, FaucetForm, TimeControl, VaultTotals } from "./panels.tsx";
import { Amount, Copy, Facts, Moment } from "./pieces.tsx";
import { Steps } from "./steps.tsx";
import { useAsked, useChanges, useRoute, useSeconds } from "./use-chain.ts";

const hourMs = 3_600_000;

/** The chain in words: an overview, an account, or one tree of messages. */
export function App() {
  const { version, isGone } = useChanges();
  const route = useRoute();
  const overview = useAsked<Overview>("overview", version);
  const [said, setSaid] = useState("");
  useEffect(() => {
    if (said === "") return;
    const timer = setTimeout(() => setSaid(""), 5_000);
    return () => clearTimeout(timer);
  }, [said]);
  const [, kind, argument = ""] = route.split("/");
  return (
    <>
      <Top overview={overview.value} onSaid={setSaid} />
      {isGone && (
        <p className="banner" role="status">
          The network on this machine is stopped. npm start brings it back.
        </p>
      )}
      <main>
        {kind === "account" ? (
          <AccountPage key={argument} address={argument} version={version} onSaid={setSaid} />
        ) : kind === "tx" ? (
          <TreePage key={argument} hash={argument} version={version} />
        ) : overview.value ? (
          <Home overview={overview.value} onSaid={setSaid} />
        ) : (
          <p className="none">{overview.error ?? "Reading the chain…"}</p>
        )}
      </main>
      <p className="toast" role="status" data-shown={said !== ""}>
        {said}
      </p>
    </>
  );
}

function Top({ overview, onSaid }: { readonly overview: Overview | undefined; onSaid(words: string): void }) {
  const elapsed = useSeconds(overview);
  const [query, setQuery] = useState("");
  const find = (event: FormEvent) => {
    event.preventDefault();
    const text = query.trim();
    if (/^[0-9a-f]{64}$/i.test(text)) window.location.hash = `/tx/${text.toLowerCase()}`;
    else if (text !== "") window.location.hash = `/account/${encodeURIComponent(text)}`;
    setQuery("");
  };
  return (
    <header className="top">
      <a className="brand" href="#/" aria-label="Bombyx chain: overview">
        <span className="mark" aria-hidden="true" />
        <h1>
          Bombyx <span>chain</span>
        </h1>
      </a>
      {overview && (
        <p className="head">
          <span className="lamp" aria-hidden="true" />
          block <b>{overview.seqno + elapsed / 1_000}</b>
          <span className="meta">
            {" "}
            · <Moment at={overview.time + elapsed} />
            {overview.skippedMs > 0 && ` · ${Math.round(overview.skippedMs / hourMs)} h skipped`}
          </span>
        </p>
      )}
      <form className="search" onSubmit={find}>
        <input
          type="search"
          aria-label="Find an account or a transaction"
          placeholder="Address or hash"
          autoComplete="off"
          spellCheck={false}
          value={query}
          onChange={(event) => setQuery(event.target.value)}
        />
      </form>
      <ThemeButton />
      <TimeControl onSaid={onSaid} />
    </header>
  );
}

function ThemeButton() {
  const wished = new URLSearchParams(window.location.search).get("theme");
  const system = window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const [theme, setTheme] = useState(wished === "dark" || wished === "light" ? wished : system);
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  const turn = useCallback(() => setTheme((now) => (now === "dark" ? "light" : "dark")), []);
  const next = theme === "dark" ? "Light" : "Dark";
  return (
    <button
      type="button"
      className="theme"
      aria-label={`${next} theme`}
      title={`${next} theme`}
      onClick={turn}
    >
      {theme === "dark" ? "☀" : "☾"}
    </button>
  );
}

function Home({ overview, onSaid }: { readonly overview: Overview; onSaid(words: string): void }) {
  return (
    <div className="columns">
      <section aria-labelledby="recent">
        <h2 id="recent">
          Transactions <span className="meta">{overview.transactions}</span>
        </h2>
        <Steps steps={overview.recent} />
      </section>
      <div className="side">
        <section aria-labelledby="vault">
          <h2 id="vault">Vault</h2>
          <VaultTotals totals={overview.vault} />
        </section>
        <section aria-labelledby="epochs">
          <h2 id="epochs">Epochs</h2>
          <Epochs epochs={overview.epochs} />
        </section>
        <section aria-labelledby="faucet">
          <h2 id="faucet">Faucet</h2>
          <FaucetForm onSaid={onSaid} />
        </section>
        <section aria-labelledby="accounts">
          <h2 id="accounts">Accounts</h2>
          <Accounts accounts={overview.accounts} />
        </section>
      </div>
    </div>
  );
}

type FullAccount = AccountReport & { readonly history: readonly (Step | Waiting)[] };

function AccountPage(props: {
  readonly address: string;
  readonly version: number;
  onSaid(words: string): void;
}) {
  const { value, error } = useAsked<FullAccount>(`account/${props.address}`, props.version);
  if (!value) return <p className="none">{error ?? "Reading the account…"}</p>;
  const { party, balanceNano, state, facts, history } = value;
  return (
    <div className="one">
      <a className="back" href="#/">
        ← Overview
      </a>
      <section className="account-head" data-kind={party.kind}>
        <h2>{party.name}</h2>
        <p className="address">
          <code>{party.address}</code> <Copy text={party.address} name="the address" />
        </p>
        <p className="balance">
          <Amount nano={balanceNano} /> <span className="badge">{state}</span>
        </p>
        <Facts facts={facts} />
        {party.kind !== "faucet" && <FaucetForm address={party.address} onSaid={props.onSaid} />}
      </section>
      <section aria-labelledby="history">
        <h2 id="history">Transactions</h2>
        <Steps steps={history} />
      </section>
    </div>
  );
}

function TreePage({ hash, version }: { readonly hash: string; readonly version: number }) {
  const { value, error } = useAsked<Step>(`tree/${hash}`, version);
  return (
    <div className="one">
      <a className="back" href="#/">
        ← Overview
      </a>
      {value ? <Steps steps={[value]} open /> : <p className="none">{error ?? "Reading the transaction…"}</p>}
    </div>
  );
}
