import type { BotCommand, MenuButton, Message } from "@grammyjs/types";
import { type KeyboardEvent, useLayoutEffect, useRef, useState } from "react";
import { useSay } from "../words.ts";
import { snippet } from "./chat-lines.ts";
import { fullName } from "./names.ts";

export interface ComposerProps {
  readonly commands: readonly BotCommand[];
  readonly menuButton: MenuButton | undefined;
  readonly replyTo: Message | undefined;
  readonly onCancelReply: () => void;
  readonly onSend: (text: string) => void;
  readonly onPhoto: (photo: File) => void;
  readonly onMiniapp: () => void;
  readonly hint: string | undefined;
  /** What shows the bot's own keyboard and puts it away, where there is one. */
  readonly keyboard: { readonly isOpen: boolean; readonly onToggle: () => void } | undefined;
}

/** Where a person writes: menu button, commands after "/", Enter sends and Shift+Enter does not. */
export function Composer(props: ComposerProps) {
  const { say } = useSay();
  const [text, setText] = useState("");
  const [isListed, setListed] = useState(false);
  const [chosen, setChosen] = useState(0);
  const field = useRef<HTMLTextAreaElement>(null);
  const typed = /^\/([a-z0-9_]*)$/i.exec(text)?.[1];
  const matching =
    typed !== undefined
      ? props.commands.filter(({ command }) => command.startsWith(typed.toLowerCase()))
      : isListed
        ? props.commands
        : [];

  // biome-ignore lint/correctness/useExhaustiveDependencies: the field grows with its text
  useLayoutEffect(() => {
    const { current } = field;
    if (!current) return;
    current.style.height = "auto";
    current.style.height = `${Math.min(current.scrollHeight, 180)}px`;
  }, [text]);
  useLayoutEffect(() => {
    if (props.replyTo) field.current?.focus();
  }, [props.replyTo]);

  const send = (what: string) => {
    const trimmed = what.trim();
    setListed(false);
    setChosen(0);
    if (!trimmed) return;
    setText("");
    props.onSend(trimmed);
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const command = matching[chosen]?.command;
    if (matching.length > 0 && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : matching.length - 1;
      setChosen((last) => (last + step) % matching.length);
    } else if (event.key === "Escape") {
      setListed(false);
      props.onCancelReply();
    } else if (event.key === "Tab" && command !== undefined) {
      event.preventDefault();
      setText(`/${command} `);
    } else if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      send(command !== undefined && typed !== undefined ? `/${command}` : text);
    }
  };

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send(text);
      }}
    >
      {matching.length > 0 && (
        <div className="commands" role="listbox" aria-label={say("commands")}>
          {matching.map(({ command, description }, index) => (
            <button
              key={command}
              type="button"
              role="option"
              aria-selected={index === chosen}
              onClick={() => send(`/${command}`)}
            >
              <b>/{command}</b>
              <span>{description}</span>
            </button>
          ))}
        </div>
      )}
      {props.replyTo && (
        <div className="replying">
          <div>
            <b>{say("replyTo", props.replyTo.from ? fullName(props.replyTo.from) : "")}</b>
            <span>{snippet(props.replyTo)}</span>
          </div>
          <button type="button" aria-label={say("cancelReply")} onClick={props.onCancelReply}>
            ×
          </button>
        </div>
      )}
      <div className="writing-row">
        {props.menuButton?.type === "web_app" && (
          <button type="button" className="menu-button" onClick={props.onMiniapp}>
            <span aria-hidden="true" />
            {props.menuButton.text}
          </button>
        )}
        <div className="field">
          <label className="attach" title={say("attach")}>
            <input
              type="file"
              accept="image/png,image/jpeg"
              aria-label={say("attach")}
              onChange={(event) => {
                const [photo] = event.target.files ?? [];
                if (photo) props.onPhoto(photo);
                event.target.value = "";
              }}
            />
          </label>
          <textarea
            ref={field}
            rows={1}
            value={text}
            placeholder={props.hint ?? say("message")}
            aria-label={say("message")}
            onChange={(event) => {
              setText(event.target.value);
              setChosen(0);
            }}
            onKeyDown={onKeyDown}
          />
          {props.keyboard && (
            <button
              type="button"
              className="slash"
              aria-label={say("botKeyboard")}
              aria-pressed={props.keyboard.isOpen}
              onClick={props.keyboard.onToggle}
            >
              ⌗
            </button>
          )}
          {props.commands.length > 0 && text === "" && (
            <button
              type="button"
              className="slash"
              aria-label={say("commands")}
              aria-expanded={isListed}
              onClick={() => setListed((last) => !last)}
            >
              /
            </button>
          )}
        </div>
        <button type="submit" className="send" aria-label={say("send")} disabled={text.trim() === ""} />
      </div>
    </form>
  );
}
