import { type ReactNode, useEffect, useId, useRef } from "react";
import { useText } from "../i18n/use-text.ts";
import { useTelegram } from "../telegram/telegram-context.ts";
import { IconButton } from "./button.tsx";
import "./sheet.css";

/**
 * A modal card that rises from the bottom. Telegram's back button, Escape, the cross and a tap beside it close
 * it; while it is open, a drag scrolls it and does not close the Mini App. Mount it to open, unmount to close.
 */
export function Sheet({
  title,
  onClose,
  children,
}: {
  title: ReactNode;
  onClose: () => void;
  children: ReactNode;
}) {
  const t = useText();
  const telegram = useTelegram();
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  const close = useRef(onClose);
  close.current = onClose;

  useEffect(() => {
    const element = dialog.current;
    if (element && !element.open) element.showModal();
    return () => element?.close();
  }, []);
  useEffect(() => telegram?.showBack(() => close.current()), [telegram]);
  useEffect(() => telegram?.holdSwipes(), [telegram]);

  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape and the cross do what a tap beside the card does
    <dialog
      ref={dialog}
      className="sheet"
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <header>
        <h2 id={titleId}>{title}</h2>
        <IconButton icon="close" label={t("close")} onClick={onClose} />
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <div className="sheet-body" tabIndex={0}>
        {children}
      </div>
    </dialog>
  );
}
