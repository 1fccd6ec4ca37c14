import { useEffect, useRef } from "react";
import { useSay } from "../words.ts";

const reactions = ["👍", "👎", "❤️", "🔥", "🤔"] as const;

/** What a long press or a right click on a message offers. */
export function MessageMenu(props: {
  readonly at: { readonly x: number; readonly y: number };
  readonly onReply: () => void;
  readonly onCopy: () => void;
  readonly onReact: (emoji: string) => void;
  readonly onClose: () => void;
}) {
  const { say } = useSay();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const { current } = dialog;
    if (!current) return;
    current.showModal();
    const { width, height } = current.getBoundingClientRect();
    current.style.left = `${Math.max(8, Math.min(props.at.x, innerWidth - width - 8))}px`;
    current.style.top = `${Math.max(8, Math.min(props.at.y, innerHeight - height - 8))}px`;
  }, [props.at]);
  const then = (act: () => void) => () => {
    act();
    props.onClose();
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog
    <dialog
      ref={dialog}
      className="menu"
      aria-label={say("messageMenu")}
      onClose={props.onClose}
      onClick={(event) => event.target === dialog.current && props.onClose()}
    >
      <div className="menu-reactions">
        {reactions.map((emoji) => (
          <button
            key={emoji}
            type="button"
            aria-label={say("react", emoji)}
            onClick={then(() => props.onReact(emoji))}
          >
            {emoji}
          </button>
        ))}
      </div>
      <button type="button" onClick={then(props.onReply)}>
        {say("reply")}
      </button>
      <button type="button" onClick={then(props.onCopy)}>
        {say("copy")}
      </button>
    </dialog>
  );
}
