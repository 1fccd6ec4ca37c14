import type { RichText } from "@grammyjs/types";
import { Fragment, type ReactNode } from "react";
import { Formula } from "./formula.tsx";
import { Growing } from "./growing.tsx";
import { CommandLink, InlineCode, Spoiler, TextLink } from "./tappable.tsx";

/** Its words alone, for copying. */
export function plainText(text: RichText | undefined): string {
  if (text === undefined) return "";
  if (typeof text === "string") return text;
  if (Array.isArray(text)) return text.map(plainText).join("");
  if (text.type === "mathematical_expression") return text.expression;
  if (text.type === "custom_emoji") return text.alternative_text;
  if (text.type === "button") return plainText(text.button.text);
  return "text" in text ? plainText(text.text) : "";
}

export function Rich({ text }: { text: RichText | undefined }): ReactNode {
  if (text === undefined) return null;
  if (typeof text === "string") return <Growing text={text} />;
  if (Array.isArray(text)) {
    return text.map((part, index) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: parts are known by their place
      <Fragment key={index}>
        <Rich text={part} />
      </Fragment>
    ));
  }
  switch (text.type) {
    case "mathematical_expression":
      return <Formula tex={text.expression} />;
    case "custom_emoji":
      return text.alternative_text;
    case "anchor":
      return null;
    case "button":
      return <span className="inline-button">{plainText(text.button.text)}</span>;
    default:
      break;
  }
  const inside = <Rich text={text.text} />;
  switch (text.type) {
    case "bold":
      return <b>{inside}</b>;
    case "italic":
      return <i>{inside}</i>;
    case "underline":
      return <u>{inside}</u>;
    case "strikethrough":
      return <s>{inside}</s>;
    case "subscript":
      return <sub>{inside}</sub>;
    case "superscript":
      return <sup>{inside}</sup>;
    case "marked":
      return <mark>{inside}</mark>;
    case "spoiler":
      return <Spoiler>{inside}</Spoiler>;
    case "code":
      return <InlineCode text={plainText(text.text)}>{inside}</InlineCode>;
    case "url":
      return <TextLink url={text.url}>{inside}</TextLink>;
    case "email_address":
      return <TextLink url={`mailto:${text.email_address}`}>{inside}</TextLink>;
    case "bot_command":
      return <CommandLink text={plainText(text.text)}>{inside}</CommandLink>;
    case "mention":
    case "text_mention":
    case "hashtag":
    case "cashtag":
    case "phone_number":
    case "bank_card_number":
      return <span className="mention">{inside}</span>;
    default:
      return inside;
  }
}
