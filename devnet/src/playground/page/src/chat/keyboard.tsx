import type { InlineKeyboardButton } from "@grammyjs/types";
import { useState } from "react";

/** Buttons below a message. @param onPress resolves when the bot has answered; the button shows that it waits. */
export function InlineKeyboard(props: {
  readonly rows: readonly (readonly InlineKeyboardButton[])[];
  readonly onPress: (row: number, column: number) => Promise<void>;
}) {
  const [waiting, setWaiting] = useState<string>();
  return (
    <div className="keyboard">
      {props.rows.map((row, r) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: buttons are known by their place
        <div key={r}>
          {row.map((button, c) => {
            const place = `${r}/${c}`;
            return (
              <button
                key={place}
                type="button"
                data-style={button.style}
                data-kind={kindOf(button)}
                data-waiting={waiting === place || undefined}
                disabled={"disabled" in button}
                onClick={() => {
                  if (waiting !== undefined) return;
                  setWaiting(place);
                  void props.onPress(r, c).finally(() => setWaiting(undefined));
                }}
              >
                {button.text}
              </button>
            );
          })}
        </div>
      ))}
    </div>
  );
}

function kindOf(button: InlineKeyboardButton): string {
  if ("web_app" in button) return "app";
  if ("url" in button || "login_url" in button) return "url";
  if ("copy_text" in button) return "copy";
  return "callback";
}
