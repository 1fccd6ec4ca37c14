import type { RichBlock, RichText } from "@grammyjs/types";
import { z } from "zod";
import { badRequest } from "../api-error.ts";

/** Checked by hand where the type is known: a schema of every block and text would be Telegram's whole documentation. */
export const inputBlock = z.looseObject({ type: z.string() });

const richText: z.ZodType<RichText> = z.lazy(() =>
  z.union([
    z.string(),
    z.array(richText),
    z.looseObject({ type: z.string() }) as unknown as z.ZodType<RichText>,
  ]),
);
const blocks = z.lazy(() => z.array(block));
const cell = z.looseObject({
  text: richText.optional(),
  align: z.enum(["left", "center", "right"]).default("left"),
  valign: z.enum(["top", "middle", "bottom"]).default("middle"),
});
const item = z.looseObject({ label: z.string().optional(), blocks, value: z.number().int().optional() });
const button = z.looseObject({ text: richText });

const block: z.ZodType<unknown> = z.lazy(() =>
  z.discriminatedUnion("type", [
    z.looseObject({ type: z.literal("paragraph"), text: richText }),
    z.looseObject({ type: z.literal("heading"), text: richText, size: z.number().int().min(1).max(6) }),
    z.looseObject({ type: z.literal("pre"), text: richText, language: z.string().optional() }),
    z.looseObject({ type: z.literal("footer"), text: richText }),
    z.looseObject({ type: z.literal("divider") }),
    z.looseObject({ type: z.literal("mathematical_expression"), expression: z.string() }),
    z.looseObject({ type: z.literal("anchor"), name: z.string() }),
    z.looseObject({ type: z.literal("list"), items: z.array(item) }),
    z.looseObject({ type: z.literal("blockquote"), blocks, credit: richText.optional() }),
    z.looseObject({ type: z.literal("expandable_blockquote"), text: richText, credit: richText.optional() }),
    z.looseObject({ type: z.literal("pullquote"), text: richText, credit: richText.optional() }),
    z.looseObject({ type: z.literal("table"), cells: z.array(z.array(cell)), caption: richText.optional() }),
    z.looseObject({ type: z.literal("details"), summary: richText, blocks }),
    z.looseObject({ type: z.literal("buttons"), buttons: z.array(button) }),
    z.looseObject({ type: z.literal("thinking"), text: richText }),
  ]),
);

/**
 * Explicit blocks as they are shown.
 * @throws BotApiError 400 where a block is not as documented, or is one that this stand-in does not have (media, maps)
 */
export function readInputBlocks(given: readonly unknown[]): RichBlock[] {
  const result = z.array(block).safeParse(given);
  if (result.success) return (result.data as RichBlock[]).map(labelled);
  const [issue] = result.error.issues;
  throw badRequest(
    `can't parse InputRichBlock at ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "invalid"}`,
  );
}

/** A received list item has a label; one that is sent has not. */
function labelled(shown: RichBlock): RichBlock {
  if (shown.type !== "list")
    return "blocks" in shown ? { ...shown, blocks: shown.blocks.map(labelled) } : shown;
  const items = shown.items.map((one) => ({
    ...one,
    label: one.label ?? (one.value === undefined ? "•" : `${one.value}.`),
    blocks: one.blocks.map(labelled),
  }));
  return { ...shown, items };
}
