import type { IssuedPairingCode, MachineRequest } from "@bombyx/sdk/owner";
import { useState } from "react";
import { Notice } from "../components/notice.tsx";
import { Row, Section } from "../components/section.tsx";
import { Skeleton } from "../components/skeleton.tsx";
import { addMessages } from "../i18n/messages.ts";
import { useText } from "../i18n/use-text.ts";
import { LiveFailure } from "../live/live-failure.tsx";
import { useNetwork } from "../network-tab/use-network.ts";
import { useTelegram } from "../telegram/telegram-context.ts";
import { Earnings } from "./earnings.tsx";
import "./earn-tab.css";
import { useOnChain } from "../wallet/use-wallet.ts";
import en from "./en.ftl?raw";
import { Introduction } from "./introduction.tsx";
import { MachineRow } from "./machine-row.tsx";
import { MachineSheet } from "./machine-sheet.tsx";
import { Payout } from "./payout.tsx";
import { RegisterForm } from "./register-form.tsx";
import { RegisterSheet } from "./register-sheet.tsx";
import ru from "./ru.ftl?raw";
import { useOwner } from "./use-owner.ts";

addMessages({ en, ru });

/** For owners of GPUs: what it takes and may bring, then each machine from its code to its earnings. */
export function EarnTab() {
  const t = useText();
  const telegram = useTelegram();
  const { machines, act } = useOwner();
  const network = useNetwork(10_000);
  const onChain = useOnChain();
  const [open, setOpen] = useState<string>();
  const [adding, setAdding] = useState(false);
  // In memory only: a code is shown to who asked for it, on this page, and nowhere again.
  const [codes, setCodes] = useState<Readonly<Record<string, IssuedPairingCode>>>({});
  const keepCode = (machine: string, code: IssuedPairingCode) =>
    setCodes((before) => ({ ...before, [machine]: code }));

  const { value: owned, failure } = machines;
  const register = async (request: MachineRequest) => {
    const { machine, pairing } = await act((owner) => owner.register(request));
    telegram?.haptic("success");
    keepCode(machine.id, pairing);
    setAdding(false);
    setOpen(machine.id);
  };
  const chosen = owned?.find(({ id }) => id === open);
  const simulated = network.value?.nodes.some((node) => node.simulated === true) === true;
  return (
    <div className="page-scroll">
      <div className="page-column">
        <header>
          <h1>{t("earn-title")}</h1>
          <p>{t("earn-intro")}</p>
        </header>
        <LiveFailure of={machines} stale={t("earn-stale")} unreachable={t("earn-unreachable")} />
        {simulated && <Notice icon="cube">{t("earn-simulated")}</Notice>}
        {!owned && !failure && <Skeleton lines={5} label={t("loading")} />}
        {owned?.length === 0 && (
          <>
            <Introduction terms={network.value?.terms} />
            <RegisterForm terms={network.value?.terms} onRegister={register} />
          </>
        )}
        {owned !== undefined && owned.length > 0 && (
          <>
            <Earnings machines={owned} />
            <Payout onChain={onChain} />
            <Section title={t("earn-machines")}>
              {owned.map((machine) => (
                <MachineRow key={machine.id} machine={machine} onOpen={() => setOpen(machine.id)} />
              ))}
              <Row icon="new" title={t("earn-add")} leads onClick={() => setAdding(true)} />
            </Section>
          </>
        )}
      </div>
      {adding && (
        <RegisterSheet terms={network.value?.terms} onRegister={register} onClose={() => setAdding(false)} />
      )}
      {chosen && (
        <MachineSheet
          machine={chosen}
          code={codes[chosen.id]}
          onCode={(code) => keepCode(chosen.id, code)}
          act={act}
          onChain={onChain.value}
          onClose={() => setOpen(undefined)}
        />
      )}
    </div>
  );
}
