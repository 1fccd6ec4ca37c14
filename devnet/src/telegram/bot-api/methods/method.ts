import type { z } from "zod";
import type { BotState } from "../world/state.ts";
import type { World } from "../world/world.ts";
import { readParameters } from "./parameters.ts";

/** A file that came with a request, by the name of its part. */
export interface UploadedFile {
  readonly name: string;
  readonly mimeType: string;
  readonly bytes: Uint8Array;
}

export interface MethodContext {
  readonly world: World;
  readonly bot: BotState;
  readonly files: ReadonlyMap<string, UploadedFile>;
  /** Aborted when the bot has hung up, or the server closes. */
  readonly signal: AbortSignal;
}

/** A method of the Bot API: takes what came over the wire, gives `result`, throws BotApiError. */
export type Method = (context: MethodContext, payload: Readonly<Record<string, unknown>>) => unknown;

export function method<P>(
  schema: z.ZodType<P>,
  run: (context: MethodContext, parameters: P) => unknown,
): Method {
  return (context, payload) => run(context, readParameters(schema, payload));
}

/** A result with Telegram's remark beside it. */
export class Described {
  readonly result: unknown;
  readonly description: string;

  constructor(result: unknown, description: string) {
    this.result = result;
    this.description = description;
  }
}
