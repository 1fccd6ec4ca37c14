import type { RichBlock, RichMessage } from "@grammyjs/types";
import { z } from "zod";
import { badRequest } from "../api-error.ts";
import { json } from "../methods/parameters.ts";
import { checkButton } from "../methods/reply-markup.ts";
import { detectInBlocks } from "./detect.ts";
import { htmlBlocks } from "./html.ts";
import { inputBlock, readInputBlocks } from "./input-blocks.ts";
import { checkRichLimits } from "./limits.ts";
import { markdownBlocks } from "./markdown.ts";
import { richButtonsOf } from "./rich-buttons.ts";
import { childBlocks, plainText, richTextsOf } from "./walk.ts";

/** Before anything is parsed: nobody needs more for 32,768 characters. */
const MAX_SOURCE_LENGTH = 262_144;

export const richInput = json(
  z.looseObject({
    markdown: z.string().max(MAX_SOURCE_LENGTH, "message is too long").optional(),
    html: z.string().max(MAX_SOURCE_LENGTH, "message is too long").optional(),
    blocks: z.array(inputBlock).optional(),
    media: z.array(z.looseObject({ id: z.string() })).optional(),
    is_rtl: z.boolean().optional(),
    skip_entity_detection: z.boolean().optional(),
  }),
  "rich message",
);

export interface RichPlace {
  readonly isDraft: boolean;
  readonly isPrivate: boolean;
}

/**
 * An InputRichMessage as the message that is shown: parsed, with what Telegram detects, within the limits.
 * @throws BotApiError 400
 */
export function readRichMessage(
  input: z.infer<typeof richInput>,
  { isDraft, isPrivate }: RichPlace,
): RichMessage {
  const { markdown, html, blocks: given } = input;
  const sources = [markdown, html, given].filter((source) => source !== undefined);
  if (sources.length === 0) throw badRequest("rich message must be non-empty");
  if (sources.length > 1)
    throw badRequest("exactly one of the fields html, markdown, or blocks must be used");
  if (input.media && input.media.length > 0) throw badRequest("RICH_MESSAGE_MEDIA_INVALID");
  const parsed = parse({ markdown, html, given });
  if (!parsed.some(hasContent)) throw badRequest("rich message must be non-empty");
  const blocks = input.skip_entity_detection ? parsed : detectInBlocks(parsed);
  if (!isDraft && has(blocks, "thinking")) throw badRequest("RICH_MESSAGE_THINKING_UNALLOWED");
  checkRichLimits(blocks);
  for (const button of blocks.flatMap(richButtonsOf)) {
    const labelled = { ...button, text: plainText(button.text) } as Parameters<typeof checkButton>[0];
    checkButton(labelled, { isFirst: false, place: { isPrivate } });
  }
  return { blocks, ...(input.is_rtl && { is_rtl: true as const }) };
}

function parse(source: {
  readonly markdown: string | undefined;
  readonly html: string | undefined;
  readonly given: readonly unknown[] | undefined;
}): RichBlock[] {
  if (source.markdown !== undefined) return markdownBlocks(source.markdown.toWellFormed());
  if (source.html !== undefined) return htmlBlocks(source.html.toWellFormed(), { isStrict: true });
  return readInputBlocks(source.given ?? []);
}

/** Whether anything of it is seen. */
function hasContent(block: RichBlock): boolean {
  const isText = ["paragraph", "heading", "pre", "footer", "blockquote", "list"].includes(block.type);
  if (!isText) return true;
  return (
    richTextsOf(block).some((text) => plainText(text).trim() !== "") || childBlocks(block).some(hasContent)
  );
}

const has = (blocks: readonly RichBlock[], type: RichBlock["type"]): boolean =>
  blocks.some((block) => block.type === type || has(childBlocks(block), type));
