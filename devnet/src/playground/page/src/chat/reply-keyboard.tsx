import type { ReplyKeyButton, ReplyKeyboardView } from "../../../../telegram/bot-api/interface.ts";
import { useSay } from "../words.ts";

/** Buttons in the place of a phone's keyboard: most of them write their own text. */
export function ReplyKeyboard(props: {
  readonly keyboard: ReplyKeyboardView;
  readonly onPress: (button: ReplyKeyButton) => void;
}) {
  const { say } = useSay();
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset asks for a form's values; these are sent one by one
    <div className="reply-keyboard" role="group" aria-label={say("botKeyboard")}>
      {props.keyboard.rows.map((row, r) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: buttons are known by their place
        <div key={r}>
          {row.map((button, c) => (
            <button
              // biome-ignore lint/suspicious/noArrayIndexKey: buttons are known by their place
              key={c}
              type="button"
              data-does={button.does}
              onClick={() => props.onPress(button)}
            >
              {button.text}
            </button>
          ))}
        </div>
      ))}
    </div>
  );
}
