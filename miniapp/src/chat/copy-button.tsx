import { useEffect, useState } from "react";
import { IconButton } from "../components/button.tsx";
import { useText } from "../i18n/use-text.ts";
import { useTelegram } from "../telegram/telegram-context.ts";
import { copyText } from "./copy-text.ts";

const thanksMs = 1_600;

/** Copies `text`, and says so by a tick. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const t = useText();
  const telegram = useTelegram();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), thanksMs);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <IconButton
      icon={copied ? "check" : "copy"}
      label={copied ? t("chat-copied") : label}
      size="small"
      onClick={async () => {
        const done = await copyText(text);
        telegram?.haptic(done ? "success" : "error");
        setCopied(done);
      }}
    />
  );
}
