import type { ChatState } from "./state.ts";
import { emit, type World } from "./world.ts";

/** "typing" and the like are shown this long. */
const ACTION_MS = 5_000;

export function setAction(world: World, chat: ChatState, action: string | null): void {
  const { actions } = world.passing;
  const before = actions.get(chat.key);
  before?.cancel();
  if (action === null) {
    if (!actions.delete(chat.key)) return;
  } else {
    actions.set(chat.key, {
      action,
      cancel: world.clock.after(ACTION_MS, () => setAction(world, chat, null)),
    });
  }
  if (before?.action !== action) emit(world, { type: "action", chat: chat.key, action });
}
