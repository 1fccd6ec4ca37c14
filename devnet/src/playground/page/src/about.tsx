import { Dialog } from "./dialog.tsx";
import { useSay } from "./words.ts";

/** What of this page is real. */
export function About({ onClose }: { onClose: () => void }) {
  const { say } = useSay();
  return (
    <Dialog title={say("aboutTitle")} onClose={onClose} className="about">
      <p>{say("aboutReal")}</p>
      <p>{say("aboutSimulated")}</p>
      <p>{say("aboutHow")}</p>
      <div className="dialog-buttons">
        <button type="button" onClick={onClose}>
          {say("ok")}
        </button>
      </div>
    </Dialog>
  );
}
