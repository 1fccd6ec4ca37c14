/** What a Mini App in a frame tells Telegram Web: `window.parent.postMessage(JSON of this)`. */
export interface MiniappMessage {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** @returns `undefined` for what is no message of a Mini App. */
export function parseMessage(raw: unknown): MiniappMessage | undefined {
  let value: unknown = raw;
  if (typeof raw === "string") {
    try {
      value = JSON.parse(raw);
    } catch {
      return undefined;
    }
  }
  if (typeof value !== "object" || value === null || !("eventType" in value)) return undefined;
  const { eventType } = value;
  if (typeof eventType !== "string") return undefined;
  const data = "eventData" in value ? value.eventData : undefined;
  // Old versions of the library send the data as JSON within the JSON.
  const parsed = typeof data === "string" ? quietly(data) : data;
  return {
    type: eventType,
    data: typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : {},
  };
}

function quietly(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A button of Telegram's below the Mini App. */
export interface BottomButton {
  readonly text: string;
  readonly isVisible: boolean;
  readonly isActive: boolean;
  readonly isProgressVisible: boolean;
  readonly hasShine: boolean;
  readonly colour: string | undefined;
  readonly textColour: string | undefined;
}

export interface PopupButton {
  readonly id: string;
  readonly type: string;
  readonly text: string;
}

export interface Popup {
  readonly title: string;
  readonly message: string;
  readonly buttons: readonly PopupButton[];
}

/** A colour of the theme by its name, which follows the theme, or one of the Mini App's own. */
export interface ChosenColour {
  readonly key: string;
  readonly colour: string | undefined;
}

/** Black or white, whichever is read better on `ground` (`#rrggbb`). @see https://www.w3.org/TR/WCAG22/#dfn-relative-luminance */
export function inkOn(ground: string): "#000000" | "#ffffff" {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(ground.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000000" : "#ffffff";
}

const hexColour = /^#[0-9a-f]{6}$/i;

export const colour = (value: unknown): string | undefined =>
  typeof value === "string" && hexColour.test(value) ? value : undefined;

export const text = (value: unknown, longest: number): string =>
  typeof value === "string" ? value.slice(0, longest) : "";

export const bottomButton = (data: MiniappMessage["data"]): BottomButton => ({
  text: text(data.text, 64),
  isVisible: data.is_visible === true && text(data.text, 64).trim() !== "",
  isActive: data.is_active !== false,
  isProgressVisible: data.is_progress_visible === true,
  hasShine: data.has_shine_effect === true,
  colour: colour(data.color),
  textColour: colour(data.text_color),
});

export function popup(
  data: MiniappMessage["data"],
  labels: { ok: string; close: string; cancel: string },
): Popup {
  const given = Array.isArray(data.buttons) ? (data.buttons as unknown[]).slice(0, 3) : [];
  const buttons = given.flatMap((one): PopupButton[] => {
    if (typeof one !== "object" || one === null) return [];
    const { id, type, text: label } = one as Record<string, unknown>;
    const kind = text(type, 16) || "default";
    const preset = kind === "ok" || kind === "close" || kind === "cancel" ? labels[kind] : "";
    return [{ id: text(id, 64), type: kind, text: preset || text(label, 64) }];
  });
  return {
    title: text(data.title, 64),
    message: text(data.message, 256),
    buttons: buttons.length > 0 ? buttons : [{ id: "", type: "close", text: labels.close }],
  };
}
