import type { NodeVerdict, Proof } from "@bombyx/sdk";
import { useEffect, useMemo, useState } from "react";
import { CopyButton } from "../chat/copy-button.tsx";
import { copyText } from "../chat/copy-text.ts";
import { RefusalNotice } from "../chat/refusal-notice.tsx";
import { Button } from "../components/button.tsx";
import { Icon } from "../components/icon.tsx";
import { Notice } from "../components/notice.tsx";
import { Section } from "../components/section.tsx";
import { Sheet } from "../components/sheet.tsx";
import { Skeleton } from "../components/skeleton.tsx";
import { addMessages } from "../i18n/messages.ts";
import { useLanguage, useText } from "../i18n/use-text.ts";
import type { ConnectionState } from "../network/connection.ts";
import { useTelegram } from "../telegram/telegram-context.ts";
import en from "./en.ftl?raw";
import { limitsSaid, type ProofLine, proofLines } from "./proof-lines.ts";
import "./proof-sheet.css";
import ru from "./ru.ftl?raw";
import { shareProof } from "./share-proof.ts";

addMessages({ en, ru });

/** What this device just verified, in words, each with its bytes; and what nothing of this protects from. */
export function ProofSheet({ network, onClose }: { network: ConnectionState; onClose: () => void }) {
  const t = useText();
  return (
    <Sheet title={t(network.phase === "refused" ? "proof-refused-title" : "proof-title")} onClose={onClose}>
      {network.phase === "opening" && <Skeleton lines={5} label={t("chip-opening")} />}
      {network.phase === "refused" && (
        <>
          <RefusalNotice network={network} />
          <p className="proof-words">{t("proof-refused-text")}</p>
        </>
      )}
      {network.phase === "sealed" && <Verified proof={network.proof} standby={network.standby} />}
      <Section title={t("limits-title")}>
        {limitsSaid.map((id) => (
          <Line key={id} line={{ id, icon: "alert", tone: "warn", raw: [] }} quiet />
        ))}
      </Section>
    </Sheet>
  );
}

function Verified({ proof, standby }: { proof: Proof; standby: Proof | undefined }) {
  const t = useText();
  const lines = useMemo(() => proofLines(proof, standby), [proof, standby]);
  const { tone, words } = summaryOf(proof.verdict);
  return (
    <>
      <Notice tone={tone} title={t(words)}>
        <p>{t(`${words}-text`)}</p>
      </Notice>
      <Section title={t("proof-checked", { ago: useAgo(proof.verifiedAt) })} footer={t("proof-tap")}>
        {lines.map((line) => (
          <Line key={line.id} line={line} />
        ))}
      </Section>
      <Share proof={proof} />
    </>
  );
}

function summaryOf({ tee, simulated }: NodeVerdict) {
  if (tee === "none") return { tone: "danger", words: "proof-open-tier" } as const;
  return simulated
    ? ({ tone: "warn", words: "proof-simulated" } as const)
    : ({ tone: "good", words: "proof-verified" } as const);
}

function Line({ line, quiet = false }: { line: ProofLine; quiet?: boolean }) {
  const t = useText();
  const telegram = useTelegram();
  const words = quiet ? line.id : `proof-${line.id}`;
  return (
    <details className="proof-line" onToggle={() => telegram?.haptic("selection")}>
      <summary data-tone={quiet ? undefined : line.tone}>
        <Icon name={line.icon} />
        <span>{t(words, line.values)}</span>
        <Icon name="chevron" size={16} />
      </summary>
      <div className="proof-detail">
        <p>{t(`${words}-why`, line.values)}</p>
        {line.raw.map(({ label, text }) => (
          <div key={label} className="proof-raw">
            <header>
              <strong>{label}</strong>
              <CopyButton text={text} label={`${t("proof-copy")}: ${label}`} />
            </header>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
            <pre tabIndex={0} dir="ltr">
              {text}
            </pre>
          </div>
        ))}
      </div>
    </details>
  );
}

function Share({ proof }: { proof: Proof }) {
  const t = useText();
  const telegram = useTelegram();
  const [done, setDone] = useState<string>();
  return (
    <div className="proof-share">
      <Button
        kind="plain"
        icon="share"
        wide
        onClick={async () => {
          const how = await shareProof(proof);
          if (how === "refused") return;
          telegram?.haptic("success");
          setDone(t(how === "saved" ? "proof-saved" : "proof-shared"));
        }}
      >
        {t("proof-share")}
      </Button>
      <Button
        kind="plain"
        icon="copy"
        wide
        onClick={async () => {
          const copied = await copyText(new TextDecoder().decode(proof.bundle));
          telegram?.haptic(copied ? "success" : "error");
          if (copied) setDone(t("proof-copied"));
        }}
      >
        {t("proof-copy-all")}
      </Button>
      <p role="status">{done ?? t("proof-share-text")}</p>
    </div>
  );
}

const minuteMs = 60_000;

/** "5 minutes ago", kept true while the sheet is open. */
function useAgo(at: number): string {
  const language = useLanguage();
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 10_000);
    return () => clearInterval(timer);
  }, []);
  const format = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const seconds = Math.max(0, Math.round((now - at) / 1_000));
  return seconds * 1_000 < minuteMs
    ? format.format(-seconds, "second")
    : format.format(-Math.round((now - at) / minuteMs), "minute");
}
