import type { Network } from "@bombyx/sdk/network";
import { gpus, type MachineRequest, ownerLimits } from "@bombyx/sdk/owner";
import { type FormEvent, useState } from "react";
import { Button } from "../components/button.tsx";
import { SelectField, TextField } from "../components/field.tsx";
import { Notice } from "../components/notice.tsx";
import { Section } from "../components/section.tsx";
import { useText } from "../i18n/use-text.ts";
import { type Failure, failureOf, wordsFor } from "../network/failure.ts";
import { Estimate } from "./estimate.tsx";

const other = "other";
const gibibyte = 1_024;

interface Entered {
  readonly gpu: string;
  readonly otherGpu: string;
  readonly vramGib: string;
  readonly hours: string;
  readonly name: string;
}

const first = gpus.find(({ name }) => name.includes("H100"));
const blank: Entered = {
  gpu: first?.name ?? other,
  otherGpu: "",
  vramGib: String((first?.vramMib ?? 0) / gibibyte),
  hours: "20",
  name: "",
};

/** Which GPU, how many hours; an estimate beside it, and the way to the pairing code. */
export function RegisterForm({
  terms,
  onRegister,
}: {
  terms: Network["terms"] | undefined;
  /** May throw what the gateway refused. */
  onRegister: (machine: MachineRequest) => Promise<void>;
}) {
  const t = useText();
  const [entered, setEntered] = useState(blank);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const set = (change: Partial<Entered>) => setEntered((before) => ({ ...before, ...change }));
  const known = gpus.find(({ name }) => name === entered.gpu);
  const vram = Number(entered.vramGib.replace(",", "."));
  const vramWrong = !(vram >= 0.25 && vram * gibibyte <= ownerLimits.vramMib);
  const gpuWrong = known === undefined && entered.otherGpu.trim() === "";

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (vramWrong || gpuWrong || busy) return;
    setBusy(true);
    setFailure(undefined);
    const name = entered.name.trim();
    try {
      await onRegister({
        gpu: known?.name ?? entered.otherGpu.trim(),
        vramMib: Math.round(vram * gibibyte),
        hoursPerDay: Number(entered.hours),
        ...(name !== "" && { name }),
      });
    } catch (error) {
      setFailure(failureOf(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <form className="earn-form" onSubmit={(event) => void submit(event)} noValidate>
      <Section title={t("earn-your-machine")} footer={t("earn-name-note")}>
        <SelectField
          label={t("earn-gpu")}
          value={entered.gpu}
          onChange={(gpu) => {
            const chosen = gpus.find(({ name }) => name === gpu);
            set({ gpu, ...(chosen && { vramGib: String(chosen.vramMib / gibibyte) }) });
          }}
          options={[
            ...gpus.map(({ name }) => ({ value: name, label: name })),
            { value: other, label: t("earn-gpu-other") },
          ]}
        />
        {known === undefined && (
          <TextField
            label={t("earn-gpu-name")}
            value={entered.otherGpu}
            onChange={(otherGpu) => set({ otherGpu })}
            maxLength={ownerLimits.gpuCharacters}
            placeholder="AMD MI300X 192 GB"
            error={tried && gpuWrong ? t("earn-gpu-wrong") : undefined}
          />
        )}
        <TextField
          label={t("earn-vram")}
          value={entered.vramGib}
          onChange={(vramGib) => set({ vramGib })}
          inputMode="decimal"
          error={tried && vramWrong ? t("earn-vram-wrong") : undefined}
        />
        <SelectField
          label={t("earn-hours")}
          value={entered.hours}
          onChange={(hours) => set({ hours })}
          options={[4, 8, 12, 16, 20, 24].map((hours) => ({
            value: String(hours),
            label: t("earn-hours-value", { hours }),
          }))}
        />
        <TextField
          label={t("earn-name")}
          value={entered.name}
          onChange={(name) => set({ name })}
          maxLength={ownerLimits.nameCharacters}
          placeholder={t("earn-name-example")}
        />
      </Section>
      {known && terms && <Estimate gpu={known} hoursPerDay={Number(entered.hours)} terms={terms} />}
      {failure && (
        <Notice tone="danger" role="alert">
          {t(wordsFor(failure))}
        </Notice>
      )}
      <Button type="submit" wide busy={busy}>
        {t("earn-register")}
      </Button>
    </form>
  );
}
