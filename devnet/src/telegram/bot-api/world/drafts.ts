import type { MessageEntity, RichMessage } from "@grammyjs/types";
import type { TelegramEventBody } from "../interface.ts";
import type { ChatState } from "./state.ts";
import { emit, type LiveDraft, type World } from "./world.ts";

/** A draft disappears unless it is sent again within this time. */
export const DRAFT_LIFE_MS = 30_000;

type GoneReason = Extract<TelegramEventBody, { type: "draft_gone" }>["reason"];

export interface DraftContent {
  readonly draftId: number;
  readonly threadId: number | undefined;
  readonly text: string;
  readonly entities?: readonly MessageEntity[];
  readonly richMessage?: RichMessage;
  readonly isThinking: boolean;
  readonly canStop: boolean;
  readonly keepOnStop: boolean;
}

/** Shows a draft, or its next version; another one in the same place is replaced without animation. */
export function showDraft(world: World, chat: ChatState, content: DraftContent): void {
  // The person has stopped this one: what still comes of it is not shown.
  if (world.passing.stoppedDrafts.has(stoppedKey(chat, content.draftId))) return;
  const now = world.clock.now();
  const before = find(world, chat, content.draftId);
  if (before === undefined) endDrafts(world, chat, content.threadId, "replaced");
  before?.cancelExpiry();
  const { threadId, ...rest } = content;
  const draft: LiveDraft = {
    ...rest,
    ...(threadId !== undefined && { threadId }),
    isStopped: before?.isStopped ?? false,
    startedAt: before?.startedAt ?? now,
    updatedAt: now,
    expiresAt: now + DRAFT_LIFE_MS,
    cancelExpiry: world.clock.after(DRAFT_LIFE_MS, () => endDraft(world, chat, content.draftId, "expired")),
  };
  const others = draftsOf(world, chat).filter(({ draftId }) => draftId !== content.draftId);
  world.passing.drafts.set(chat.key, [...others, draft]);
  announce(world, chat, draft);
}

/** A person has pressed Stop: the draft goes, or stays until it expires when the bot asked for that. */
export function stopDraft(world: World, chat: ChatState, draftId: number): void {
  const draft = find(world, chat, draftId);
  if (draft === undefined) return;
  world.passing.stoppedDrafts.add(stoppedKey(chat, draftId));
  if (!draft.keepOnStop) {
    endDraft(world, chat, draftId, "stopped");
    return;
  }
  const stopped = { ...draft, isStopped: true, canStop: false };
  world.passing.drafts.set(
    chat.key,
    draftsOf(world, chat).map((other) => (other === draft ? stopped : other)),
  );
  announce(world, chat, stopped);
}

/** Removes the drafts of one topic: a message has come in their place. */
export function endDrafts(
  world: World,
  chat: ChatState,
  threadId: number | undefined,
  reason: GoneReason,
): void {
  // The answer is complete: what is drafted from now on is another one, whatever its id.
  const { stoppedDrafts } = world.passing;
  const ended = [...stoppedDrafts].filter((key) => reason === "message" && key.startsWith(`${chat.key} `));
  for (const key of ended) stoppedDrafts.delete(key);
  for (const draft of draftsOf(world, chat)) {
    if (draft.threadId === threadId) endDraft(world, chat, draft.draftId, reason);
  }
}

function endDraft(world: World, chat: ChatState, draftId: number, reason: GoneReason): void {
  const draft = find(world, chat, draftId);
  if (draft === undefined) return;
  draft.cancelExpiry();
  world.passing.drafts.set(
    chat.key,
    draftsOf(world, chat).filter((other) => other !== draft),
  );
  emit(world, { type: "draft_gone", chat: chat.key, draftId, reason });
}

export function draftsOf(world: World, chat: ChatState): readonly LiveDraft[] {
  return world.passing.drafts.get(chat.key) ?? [];
}

const find = (world: World, chat: ChatState, id: number) =>
  draftsOf(world, chat).find(({ draftId }) => draftId === id);

const stoppedKey = (chat: ChatState, draftId: number) => `${chat.key} ${draftId}`;

function announce(world: World, chat: ChatState, { cancelExpiry: _, ...draft }: LiveDraft): void {
  emit(world, { type: "draft", chat: chat.key, draft });
}
