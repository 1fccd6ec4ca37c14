import type { RichMessageButton, RichText } from "@grammyjs/types";
import { badRequest } from "../api-error.ts";

const STYLES: ReadonlySet<string> = new Set(["danger", "success", "primary", "link"]);

/** `<tg-button type=…>` as the button of a rich message. @throws BotApiError 400 */
export function richButton(
  attribute: (name: string) => string | undefined,
  text: RichText,
): RichMessageButton {
  const type = attribute("type") ?? "";
  const style = attribute("style");
  if (style !== undefined && !STYLES.has(style)) throw badRequest("invalid button style specified");
  const needed = (name: string): string => {
    const value = attribute(name);
    if (value === undefined || value === "")
      throw badRequest(`can't parse entities: tag "tg-button" must have attribute "${name}"`);
    return value;
  };
  const common = { text, ...(style !== undefined && { style: style as "link" }) };
  switch (type) {
    case "url":
      return { ...common, url: needed("url") };
    case "callback_data":
      return { ...common, callback_data: needed("data") };
    case "web_app":
      return { ...common, web_app: { url: needed("url") } };
    case "login_url":
      return { ...common, login_url: { url: needed("url") } };
    case "copy_text":
      return { ...common, copy_text: { text: needed("text") } };
    case "switch_inline_query":
      return { ...common, switch_inline_query: attribute("query") ?? "" };
    case "switch_inline_query_current_chat":
      return { ...common, switch_inline_query_current_chat: attribute("query") ?? "" };
    case "switch_inline_query_chosen_chat":
      return { ...common, switch_inline_query_chosen_chat: { query: attribute("query") ?? "" } };
    case "disabled":
      return { ...common, disabled: {} };
    default:
      throw badRequest(`can't parse entities: tag "tg-button" has unsupported type "${type}"`);
  }
}
