import type { IncomingMessage, ServerResponse } from "node:http";
import { BombyxError, type ErrorBody } from "@bombyx/protocol/wire";
import type * as z from "zod";

/**
 * The declared length of a body.
 * @throws BombyxError BAD_REQUEST without one, BODY_TOO_LARGE above `limit`.
 */
export function contentLength(request: IncomingMessage, limit: number): number {
  const header = request.headers["content-length"];
  const length = Number(header);
  if (header === undefined || !Number.isSafeInteger(length)) {
    throw new BombyxError("BAD_REQUEST", "The request needs a Content-Length.", { field: "Content-Length" });
  }
  if (length > limit) {
    throw new BombyxError("BODY_TOO_LARGE", `The body has ${length} bytes; at most ${limit} are taken.`, {
      field: "Content-Length",
    });
  }
  return length;
}

/** Reads exactly the declared bytes. @throws BombyxError CANCELLED when the client goes away before. */
export function readBody(request: IncomingMessage, length: number): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () =>
    resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, length)),
  );
  const cut = () => reject(new BombyxError("CANCELLED", "The client went away before its body was whole."));
  request.on("error", cut);
  request.on("close", cut);
  // Gone while its money was being reserved: no event will tell.
  if (request.destroyed) cut();
  return promise;
}

const jsonBytes = 16 * 1024;

/** A small JSON body. @throws BombyxError BAD_REQUEST naming the field, UNKNOWN_FIELD, BODY_TOO_LARGE. */
export async function readJson<T extends z.ZodType>(
  request: IncomingMessage,
  schema: T,
): Promise<z.output<T>> {
  const bytes = await readBody(request, contentLength(request, jsonBytes));
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    throw new BombyxError("BAD_REQUEST", "The body is not JSON.", { cause });
  }
  return parse(schema, value);
}

/** @throws BombyxError BAD_REQUEST or UNKNOWN_FIELD, naming the first field that is wrong. */
export function parse<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue?.code === "unrecognized_keys") {
    const field = issue.keys.join(", ");
    throw new BombyxError("UNKNOWN_FIELD", `Unknown field: ${field}.`, { field });
  }
  const field = issue?.path.join(".") ?? "";
  throw new BombyxError("BAD_REQUEST", `${field || "body"}: ${issue?.message ?? "is not valid"}.`, {
    ...(field && { field }),
  });
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  response
    .writeHead(status, {
      "Content-Type": "application/json",
      "Content-Length": body.length,
      "Cache-Control": "no-store",
    })
    .end(body);
}

/** `{"error": …}` with its code's status, and Retry-After where trying again makes sense. */
export function sendError(response: ServerResponse, error: BombyxError): void {
  const body: ErrorBody = error.toJSON();
  if (error.status === 429 || error.status === 503) {
    response.setHeader("Retry-After", Math.max(1, Math.ceil((error.retryAfterMs ?? 1_000) / 1_000)));
  }
  if (error.status === 401) response.setHeader("WWW-Authenticate", "Bearer");
  sendJson(response, error.status, { error: body });
}
