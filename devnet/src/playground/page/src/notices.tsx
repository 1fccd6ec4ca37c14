import { type ReactNode, useCallback, useEffect, useMemo, useState } from "react";
import type { Notices } from "./chat/chat-pane.tsx";
import { Dialog } from "./dialog.tsx";
import type { Say } from "./words.ts";

const toastMs = 3_500;

/** Toasts, alerts, and the question before a link opens. */
export function useNotices(say: Say): {
  notices: Notices;
  shown: ReactNode;
  onError: (error: unknown) => void;
} {
  const [toast, setToast] = useState<{ text: string; serial: number }>();
  const [alert, setAlert] = useState<string>();
  const [url, setUrl] = useState<string>();
  const notices: Notices = useMemo(
    () => ({
      toast: (text) => setToast((last) => ({ text, serial: (last?.serial ?? 0) + 1 })),
      alert: setAlert,
      confirmLink: (link) => setUrl(/^https?:/i.test(link) ? link : `https://${link}`),
    }),
    [],
  );
  const onError = useCallback(
    (error: unknown) => notices.toast(say("failed", error instanceof Error ? error.message : String(error))),
    [notices, say],
  );
  useEffect(() => {
    if (!toast) return;
    const timer = setTimeout(() => setToast(undefined), toastMs);
    return () => clearTimeout(timer);
  }, [toast]);
  const shown = (
    <>
      <div className="toasts" role="status">
        {toast && (
          <p key={toast.serial} className="toast">
            {toast.text}
          </p>
        )}
      </div>
      {alert !== undefined && (
        <Dialog title="Bombyx" onClose={() => setAlert(undefined)}>
          <p>{alert}</p>
          <div className="dialog-buttons">
            <button type="button" onClick={() => setAlert(undefined)}>
              {say("ok")}
            </button>
          </div>
        </Dialog>
      )}
      {url !== undefined && (
        <Dialog title={say("openLink")} onClose={() => setUrl(undefined)}>
          <p className="url">{url}</p>
          <div className="dialog-buttons">
            <button type="button" onClick={() => setUrl(undefined)}>
              {say("cancel")}
            </button>
            <button
              type="button"
              onClick={() => {
                open(url, "_blank", "noopener,noreferrer");
                setUrl(undefined);
              }}
            >
              {say("open")}
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
  return { notices, shown, onError };
}
