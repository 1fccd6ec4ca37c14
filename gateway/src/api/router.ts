import type { IncomingMessage, ServerResponse } from "node:http";
import { BombyxError } from "@bombyx/protocol/wire";

export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  /** Path parameters by name; each matches one segment. */
  readonly params: Readonly<Record<string, string>>;
}

export type Handler = (call: Call) => Promise<void> | void;

interface Route {
  readonly segments: readonly string[];
  readonly handlers: Map<string, Handler>;
  /** The pattern: a bounded label for metrics. */
  readonly pattern: string;
}

/** Paths such as `/v1/sealed/{session}/{request}`, matched segment by segment. */
export class Router {
  readonly #routes: Route[] = [];

  on(method: string, pattern: string, handler: Handler): this {
    let route = this.#routes.find((known) => known.pattern === pattern);
    if (!route) {
      route = { pattern, segments: pattern.split("/"), handlers: new Map() };
      this.#routes.push(route);
    }
    route.handlers.set(method, handler);
    return this;
  }

  /** @throws BombyxError NOT_FOUND or METHOD_NOT_ALLOWED. */
  match(method: string, path: string): { handler: Handler; params: Record<string, string>; pattern: string } {
    const segments = path.split("/");
    for (const { pattern, segments: wanted, handlers } of this.#routes) {
      const params = matchSegments(wanted, segments);
      if (!params) continue;
      const handler = handlers.get(method);
      if (handler) return { handler, params, pattern };
      throw new BombyxError(
        "METHOD_NOT_ALLOWED",
        `${pattern} takes ${[...handlers.keys()].join(", ")}, not ${method}.`,
      );
    }
    throw new BombyxError("NOT_FOUND", "There is nothing at this path.");
  }
}

function matchSegments(
  wanted: readonly string[],
  got: readonly string[],
): Record<string, string> | undefined {
  if (wanted.length !== got.length) return undefined;
  const params: Record<string, string> = {};
  for (const [at, segment] of wanted.entries()) {
    const value = got[at] ?? "";
    if (segment.startsWith("{")) params[segment.slice(1, -1)] = value;
    else if (segment !== value) return undefined;
  }
  return params;
}
