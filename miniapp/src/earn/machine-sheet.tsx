import type { IssuedPairingCode, Machine } from "@bombyx/sdk/owner";
import { Notice } from "../components/notice.tsx";
import { Row, Section } from "../components/section.tsx";
import { Sheet } from "../components/sheet.tsx";
import { hasText } from "../i18n/messages.ts";
import { useLanguage, useText } from "../i18n/use-text.ts";
import { clockTime, coins, counted } from "../live/amounts.ts";
import { Figures, LoadBar, Sparkline } from "../live/figures.tsx";
import { useNow } from "../live/use-now.ts";
import type { OnChain } from "../wallet/use-wallet.ts";
import { MachineActions } from "./machine-actions.tsx";
import { shownState, stepsDone, toneOf } from "./machine-state.ts";
import { PairingPanel } from "./pairing-panel.tsx";
import { Steps } from "./steps.tsx";
import type { Owner } from "./use-owner.ts";

export interface MachineSheetProps {
  readonly machine: Machine;
  /** Shown once, to who asked for it on this page. */
  readonly code: IssuedPairingCode | undefined;
  readonly onCode: (code: IssuedPairingCode) => void;
  readonly act: Owner["act"];
  /** Where machines are paid to; absent until it is known. */
  readonly onChain: OnChain | "off" | undefined;
  readonly onClose: () => void;
}

/** Everything about one machine: its way to the first request, what it does and earns, and what can be done. */
export function MachineSheet({ machine, code, onCode, act, onChain, onClose }: MachineSheetProps) {
  const t = useText();
  const language = useLanguage();
  const now = useNow(1_000);
  const state = shownState(machine, now);
  const tone = toneOf(state);
  const waitsForNode = machine.node === null || machine.pairing !== null;
  return (
    <Sheet title={machine.name} onClose={onClose}>
      {waitsForNode && (
        <PairingPanel machine={machine} code={code} now={now} onCode={onCode} act={act} onChain={onChain} />
      )}
      {stepsDone(machine) < 4 && <Steps machine={machine} now={now} />}
      {machine.warnings.map(({ code: warning, message }) => (
        <Notice key={warning} tone="warn" title={t("earn-attention")}>
          {hasText(warningId(warning)) ? t(warningId(warning)) : message} <code>{warning}</code>
        </Notice>
      ))}
      {machine.node !== null && (
        <>
          <Section>
            <Row
              icon="chip"
              title={t(`earn-state-${state}`, { since: clockTime(machine.since, now, language) })}
              detail={
                machine.serving
                  ? t("earn-serves", {
                      model: machine.serving.model,
                      speed: counted(machine.serving.decodeTokensPerSecond, language),
                    })
                  : (machine.gpu ?? undefined)
              }
              {...(tone && { tone })}
            />
            {machine.serving && (
              <div className="row earn-load">
                <LoadBar
                  part={machine.serving.running}
                  whole={machine.serving.slots}
                  label={t("earn-load", { running: machine.serving.running, slots: machine.serving.slots })}
                />
                <span className="row-value">
                  {machine.serving.running}/{machine.serving.slots}
                </span>
              </div>
            )}
          </Section>
          <Figures
            figures={[
              {
                name: t("earn-today"),
                value: coins(BigInt(machine.today.earnedNano), language),
                note: "GRAM",
              },
              {
                name: t("earn-total"),
                value: coins(BigInt(machine.total.earnedNano), language),
                note: "GRAM",
              },
              { name: t("earn-requests"), value: counted(machine.total.requests, language) },
              { name: t("earn-units"), value: counted(machine.total.units, language) },
            ]}
          />
          <Section title={t("earn-hour")} footer={t("earn-gram-note")}>
            <div className="row">
              <Sparkline
                values={machine.minutes}
                label={t("earn-hour-words", { count: machine.minutes.reduce((a, b) => a + b, 0) })}
              />
            </div>
          </Section>
        </>
      )}
      <MachineActions machine={machine} onCode={onCode} act={act} onClose={onClose} waits={waitsForNode} />
    </Sheet>
  );
}

/** The gateway's own sentence is English; the common ones are said in the person's language. */
const warningId = (code: string): string => `earn-warning-${code.toLowerCase().replaceAll("_", "-")}`;
