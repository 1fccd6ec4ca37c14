import { type IssuedPairingCode, type Machine, ownerLimits } from "@bombyx/sdk/owner";
import { useState } from "react";
import { Button } from "../components/button.tsx";
import { TextField } from "../components/field.tsx";
import { Notice } from "../components/notice.tsx";
import { Row, Section } from "../components/section.tsx";
import { useText } from "../i18n/use-text.ts";
import { type Failure, failureOf, wordsFor } from "../network/failure.ts";
import { useTelegram } from "../telegram/telegram-context.ts";
import type { Owner } from "./use-owner.ts";

type Asked = "rename" | "code" | "remove" | undefined;

/** Rename, a new code, remove: each asks once before it does something that cannot be undone. */
export function MachineActions({
  machine,
  onCode,
  act,
  onClose,
  waits,
}: {
  machine: Machine;
  onCode: (code: IssuedPairingCode) => void;
  act: Owner["act"];
  onClose: () => void;
  /** The code is on the screen already. */
  waits: boolean;
}) {
  const t = useText();
  const telegram = useTelegram();
  const [asked, setAsked] = useState<Asked>();
  const [name, setName] = useState(machine.name);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const run = async (work: () => Promise<unknown>) => {
    setBusy(true);
    setFailure(undefined);
    try {
      await work();
      telegram?.haptic("success");
      setAsked(undefined);
    } catch (error) {
      telegram?.haptic("error");
      setFailure(failureOf(error));
    } finally {
      setBusy(false);
    }
  };
  const cancel = (
    <Button kind="plain" onClick={() => setAsked(undefined)}>
      {t("earn-cancel")}
    </Button>
  );
  return (
    <>
      {asked === undefined && (
        <Section>
          <Row icon="edit" title={t("earn-rename")} onClick={() => setAsked("rename")} />
          {!waits && <Row icon="key" title={t("earn-new-code")} onClick={() => setAsked("code")} />}
          <Row icon="trash" tone="danger" title={t("earn-remove")} onClick={() => setAsked("remove")} />
        </Section>
      )}
      {asked === "rename" && (
        <form
          className="earn-form"
          onSubmit={(event) => {
            event.preventDefault();
            void run(() => act((owner) => owner.rename(machine.id, name.trim())));
          }}
        >
          <Section footer={t("earn-name-note")}>
            <TextField
              label={t("earn-name")}
              value={name}
              onChange={setName}
              maxLength={ownerLimits.nameCharacters}
            />
          </Section>
          <div className="earn-buttons">
            <Button type="submit" busy={busy} disabled={name.trim() === ""}>
              {t("earn-save")}
            </Button>
            {cancel}
          </div>
        </form>
      )}
      {asked === "code" && (
        <Notice
          icon="key"
          title={t("earn-code-replaces")}
          actions={
            <>
              <Button
                busy={busy}
                onClick={() =>
                  void run(async () => onCode(await act((owner) => owner.newPairingCode(machine.id))))
                }
              >
                {t("earn-new-code")}
              </Button>
              {cancel}
            </>
          }
        >
          {t("earn-code-replaces-text")}
        </Notice>
      )}
      {asked === "remove" && (
        <Notice
          tone="danger"
          title={t("earn-remove-sure", { name: machine.name })}
          actions={
            <>
              <Button
                kind="danger"
                busy={busy}
                onClick={() =>
                  void run(async () => {
                    await act((owner) => owner.remove(machine.id));
                    onClose();
                  })
                }
              >
                {t("earn-remove")}
              </Button>
              {cancel}
            </>
          }
        >
          {t("earn-remove-text")}
        </Notice>
      )}
      {failure && (
        <Notice tone="danger" role="alert">
          {t(wordsFor(failure))}
        </Notice>
      )}
    </>
  );
}
