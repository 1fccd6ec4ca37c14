import { BombyxError } from "@bombyx/protocol/wire";
import type { BombyxClient } from "./client.ts";
import { AnswerStream } from "./openai/answer-stream.ts";
import type { ChatCompletionRequest } from "./openai/chat-types.ts";
import type { CompletionRequest, EmbeddingRequest } from "./openai/completion-types.ts";
import { asBombyxError, errorHeaders, openAiError } from "./openai/error.ts";
import { serverSentEvents } from "./openai/server-sent-events.ts";

export type OpenAiFetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

const routes = /\/(?:(chat\/completions|completions|embeddings)|models(?:\/(.+))?|receipts\/([\w-]{1,64}))$/;

/**
 * Serves OpenAI's routes with a client: JSON in, JSON or server-sent events out. As with any fetch,
 * an aborted request rejects with the signal's reason; everything else is a Response.
 */
export function openAiFetch(client: BombyxClient): OpenAiFetch {
  return async (input, init) => {
    const request = new Request(input, init);
    try {
      return await route(client, request);
    } catch (error) {
      request.signal.throwIfAborted();
      return errorResponse(asBombyxError(error));
    }
  };
}

/** A refusal in OpenAI's shape. */
export const errorResponse = (error: BombyxError): Response =>
  Response.json(openAiError(error), {
    status: error.status,
    headers: errorHeaders(error),
  });

async function route(client: BombyxClient, request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  const match = routes.exec(pathname);
  if (!match) throw new BombyxError("NOT_FOUND", `${pathname} is not served; see the README for what is.`);
  const [, endpoint, model, answer] = match;
  const method = endpoint === undefined ? "GET" : "POST";
  if (request.method !== method) {
    throw new BombyxError("METHOD_NOT_ALLOWED", `${pathname} takes ${method}, not ${request.method}.`);
  }
  if (answer !== undefined) return receipt(client, answer);
  if (endpoint === undefined) return await models(client, model, request.signal);
  const body = await readJson(request);
  const options = { signal: request.signal };
  // The body is judged inside: the casts only choose the door.
  switch (endpoint) {
    case "chat/completions":
      return respond(
        await client.chat.completions.create(body as ChatCompletionRequest, options),
        request.signal,
      );
    case "completions":
      return respond(await client.completions.create(body as CompletionRequest, options), request.signal);
    default:
      return respond(await client.embeddings.create(body as EmbeddingRequest, options), request.signal);
  }
}

async function models(client: BombyxClient, id: string | undefined, signal: AbortSignal): Promise<Response> {
  const list = await client.models.list({ signal });
  if (id === undefined) return Response.json(list);
  const name = decodeURIComponent(id);
  const model = list.data.find((known) => known.id === name);
  if (!model)
    throw new BombyxError("MODEL_UNKNOWN", `No node serves ${name}; GET /v1/models lists what is served.`);
  return Response.json(model);
}

function receipt(client: BombyxClient, answer: string): Response {
  const file = client.receipt(answer);
  if (file) return Response.json(file, { headers: { "cache-control": "no-store" } });
  throw new BombyxError(
    "NOT_FOUND",
    `There is no receipt of ${answer} here: only the last answers' are kept, by their id, and only in this process.`,
  );
}

async function readJson(request: Request): Promise<unknown> {
  try {
    return await request.json();
  } catch (cause) {
    throw new BombyxError("BAD_REQUEST", "The body is not JSON.", { field: "body", cause });
  }
}

function respond(answered: unknown, signal: AbortSignal): Response {
  if (!(answered instanceof AnswerStream)) return Response.json(answered);
  const events = serverSentEvents(answered);
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await events.next();
          if (done) controller.close();
          else controller.enqueue(encoder.encode(value));
        } catch (error) {
          controller.error(signal.aborted ? signal.reason : error);
        }
      },
      async cancel() {
        answered.abort();
        await events.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, {
    headers: { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store" },
  });
}
