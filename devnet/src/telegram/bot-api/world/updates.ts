import type { Update } from "@grammyjs/types";
import type { BotState } from "./state.ts";
import { emit, type World } from "./world.ts";

/** Sent only to bots that ask for them by name. */
const ON_REQUEST: ReadonlySet<string> = new Set([
  "chat_member",
  "message_reaction",
  "message_reaction_count",
]);
/** How many delivered updates can be delivered once more. */
const MAX_DELIVERED = 1_000;

export type UpdateBody = { [K in Exclude<keyof Update, "update_id">]?: Update[K] };

export function wants(bot: BotState, type: string): boolean {
  const allowed = bot.allowedUpdates;
  return allowed === null || allowed.length === 0 ? !ON_REQUEST.has(type) : allowed.includes(type);
}

/** Queues an update for a bot, unless it did not ask for this kind. */
export function queueUpdate(world: World, bot: BotState, body: UpdateBody): Update | undefined {
  const [type] = Object.keys(body);
  if (type === undefined || !wants(bot, type)) return undefined;
  const update = structuredClone({ update_id: bot.nextUpdateId, ...body }) as Update;
  bot.nextUpdateId += 1;
  bot.pending.push(update);
  world.changed();
  emit(world, { type: "update", botId: bot.user.id, update });
  world.passing.wake.get(bot.user.id)?.();
  return update;
}

/** Forgets updates below `offset`, as a bot confirms them by asking for later ones. */
export function confirmUpdates(world: World, bot: BotState, offset: number): void {
  const confirmed = bot.pending.filter((update) => update.update_id < offset);
  if (confirmed.length === 0) return;
  bot.pending = bot.pending.filter((update) => update.update_id >= offset);
  world.changed();
}

/** Remembers that a bot was given this update, so that it can be given once more. */
export function noteDelivered(world: World, bot: BotState, update: Update): void {
  const { delivered } = world.passing;
  delivered.delete(update.update_id);
  delivered.set(update.update_id, { botId: bot.user.id, update });
  const oldest = delivered.keys().next().value;
  if (delivered.size > MAX_DELIVERED && oldest !== undefined) delivered.delete(oldest);
}
