import { BotApiError, tooManyRequests } from "../api-error.ts";
import type { Fault, RecordedCall, RecordedResponse } from "../interface.ts";
import { Described, type UploadedFile } from "../methods/method.ts";
import { isKnownMethod } from "../methods/method-names.ts";
import { findMethod } from "../methods/methods.ts";
import type { BotState } from "../world/state.ts";
import { emit, type World } from "../world/world.ts";

const MAX_CALLS = 10_000;

/** What the server sends; undefined cuts the connection. */
export type Answer = { readonly status: number; readonly body: object } | undefined;

export interface Call {
  readonly method: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly files: ReadonlyMap<string, UploadedFile>;
  readonly signal: AbortSignal;
}

/** Runs one call of a bot: records it, lets a programmed fault come first, answers as Telegram would. */
export async function answerCall(
  world: World,
  bot: BotState,
  { method, payload, files, signal }: Call,
): Promise<Answer> {
  const known = findMethod(method);
  if (!known) return failure(notFound(method));
  const recorded = record(world, bot, known.name, payload, files);
  const fault = takeFault(world, recorded);
  try {
    if (fault?.how.kind === "hold") await fault.how.release;
    if (fault?.how.kind === "flood") throw tooManyRequests(fault.how.retryAfterS);
    if (fault?.how.kind === "error") throw new BotApiError(fault.how.errorCode, fault.how.description);
    const isCut = fault?.how.kind === "drop";
    if (isCut && fault.how.effect === "none") return finish(world, recorded, undefined);
    const value = await known.run({ world, bot, files, signal }, payload);
    if (isCut) return finish(world, recorded, undefined);
    const { result, description } =
      value instanceof Described ? value : { result: value, description: undefined };
    return finish(world, recorded, {
      status: 200,
      body: { ok: true, result, ...(description !== undefined && { description }) },
    });
  } catch (error) {
    if (error instanceof BotApiError) return finish(world, recorded, failure(error));
    throw error;
  }
}

/** Telegram does not say why; for a method that it does have, this stand-in does. */
function notFound(method: string): BotApiError {
  if (!isKnownMethod(method)) return new BotApiError(404, "Not Found");
  return new BotApiError(501, `Not Implemented: the local Bot API has no ${method}`);
}

export function failure({ code, description, parameters }: BotApiError): Answer {
  return {
    status: code,
    body: { ok: false, error_code: code, description, ...(parameters && { parameters }) },
  };
}

function record(
  world: World,
  bot: BotState,
  method: string,
  payload: Readonly<Record<string, unknown>>,
  files: ReadonlyMap<string, UploadedFile>,
): RecordedCall {
  const uploads = [...files].map(([part, { name, bytes }]) => [part, { file: { name, size: bytes.length } }]);
  const { calls } = world.passing;
  const call: RecordedCall = {
    id: (calls.at(-1)?.id ?? 0) + 1,
    at: world.clock.now(),
    botId: bot.user.id,
    method,
    payload: structuredClone({ ...payload, ...Object.fromEntries(uploads) }),
  };
  calls.push(call);
  if (calls.length > MAX_CALLS) calls.shift();
  return call;
}

function finish(world: World, call: RecordedCall, answer: Answer): Answer {
  const response = (answer?.body ?? { ok: false, dropped: true }) as RecordedResponse;
  const { calls } = world.passing;
  const done = { ...call, response: structuredClone(response) };
  const index = calls.findLastIndex(({ id }) => id === call.id);
  if (index >= 0) calls[index] = done;
  if (call.method !== "getUpdates") emit(world, { type: "call", call: done });
  return answer;
}

function takeFault({ passing: { faults } }: World, call: RecordedCall): Fault | undefined {
  const entry = faults.find(({ fault }) => matches(fault, call));
  if (!entry) return undefined;
  entry.left -= 1;
  if (entry.left <= 0) faults.splice(faults.indexOf(entry), 1);
  return entry.fault;
}

function matches({ method, chatId, when }: Fault, call: RecordedCall): boolean {
  const methods = method === undefined ? undefined : [method].flat();
  if (methods === undefined ? call.method === "getUpdates" : !methods.includes(call.method)) return false;
  if (chatId !== undefined && String(call.payload.chat_id) !== String(chatId)) return false;
  return when?.(call) ?? true;
}
