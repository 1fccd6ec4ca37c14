import { profileMethods } from "./bot-profile.ts";
import { chatMethods } from "./chats.ts";
import { copyMethods } from "./copying.ts";
import { draftMethods } from "./drafts.ts";
import { mediaMethods } from "./media.ts";
import type { Method } from "./method.ts";
import { paymentMethods } from "./payments.ts";
import { queryMethods } from "./queries.ts";
import { textMethods } from "./text-messages.ts";
import { topicMethods } from "./topics.ts";
import { updateMethods } from "./updates.ts";

const ALL: Readonly<Record<string, Method>> = {
  ...profileMethods,
  ...updateMethods,
  ...textMethods,
  ...draftMethods,
  ...mediaMethods,
  ...copyMethods,
  ...chatMethods,
  ...topicMethods,
  ...queryMethods,
  ...paymentMethods,
};
const BY_LOWER_CASE = new Map(Object.entries(ALL).map(([name, run]) => [name.toLowerCase(), { name, run }]));

/** Names of methods are case-insensitive; `name` is as Telegram writes it. */
export function findMethod(name: string): { readonly name: string; readonly run: Method } | undefined {
  return BY_LOWER_CASE.get(name.toLowerCase());
}
