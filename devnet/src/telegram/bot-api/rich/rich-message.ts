import type { RichMessage } from "@grammyjs/types";
import { z } from "zod";
import type { MethodContext } from "../methods/method.ts";
import { json } from "../methods/parameters.ts";

export const richInput = json(
  z.looseObject({ markdown: z.string().optional(), html: z.string().optional() }),
  "rich message",
);

export function readRichMessage(
  _: MethodContext,
  input: z.infer<typeof richInput>,
  __: { readonly isDraft: boolean },
): RichMessage {
  return { blocks: [{ type: "paragraph", text: input.markdown ?? input.html ?? "" }] };
}
