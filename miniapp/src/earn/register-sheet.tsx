import type { ComponentProps } from "react";
import { Sheet } from "../components/sheet.tsx";
import { useText } from "../i18n/use-text.ts";
import { RegisterForm } from "./register-form.tsx";

/** The same form for one more machine. */
export function RegisterSheet({
  onClose,
  ...form
}: ComponentProps<typeof RegisterForm> & { onClose: () => void }) {
  const t = useText();
  return (
    <Sheet title={t("earn-add")} onClose={onClose}>
      <RegisterForm {...form} />
    </Sheet>
  );
}
