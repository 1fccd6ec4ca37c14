import type { IncomingMessage } from "node:http";
import { Busboy, type BusboyHeaders } from "@fastify/busboy";
import { BotApiError } from "../api-error.ts";
import type { UploadedFile } from "../methods/method.ts";

export interface RequestBody {
  readonly payload: Record<string, unknown>;
  readonly files: Map<string, UploadedFile>;
}

const MAX_BODY_BYTES = 1_048_576;
/** Telegram's limit for what a bot uploads. */
const MAX_FILE_BYTES = 50 * 1_048_576;
/** Parameters that hold objects: text in a form, parsed so that calls read the same however they came. */
const OBJECTS = new Set([
  "reply_markup",
  "entities",
  "caption_entities",
  "reply_parameters",
  "link_preview_options",
  "rich_message",
  "media",
  "prices",
  "commands",
  "scope",
  "menu_button",
  "allowed_updates",
  "message_ids",
  "reaction",
  "results",
  "permissions",
]);

/**
 * Parameters of a call: of its query, and of a body in JSON, as a form or as multipart.
 * @throws BotApiError 400 or 413
 */
export async function readRequestBody(
  request: IncomingMessage,
  query: URLSearchParams,
): Promise<RequestBody> {
  const type = request.headers["content-type"] ?? "";
  const fromQuery = fromForm(query);
  if (type.startsWith("multipart/form-data")) {
    const { payload, files } = await readMultipart(request);
    return { payload: { ...fromQuery, ...payload }, files };
  }
  const body = await readBytes(request, MAX_BODY_BYTES);
  const files = new Map<string, UploadedFile>();
  if (body.length === 0) return { payload: fromQuery, files };
  if (type.startsWith("application/json")) return { payload: { ...fromQuery, ...parseObject(body) }, files };
  return { payload: { ...fromQuery, ...fromForm(new URLSearchParams(body.toString("utf8"))) }, files };
}

export async function readBytes(request: IncomingMessage, max: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > max) throw new BotApiError(413, "Request Entity Too Large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseObject(body: Buffer): Record<string, unknown> {
  const refused = new BotApiError(400, "Bad Request: can't parse JSON object");
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    throw refused;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw refused;
  return value as Record<string, unknown>;
}

function fromForm(form: Iterable<[string, string]>): Record<string, unknown> {
  return Object.fromEntries([...form].map(([name, value]) => [name, fieldValue(name, value)]));
}

function fieldValue(name: string, value: string): unknown {
  if (!OBJECTS.has(name)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function readMultipart(request: IncomingMessage): Promise<RequestBody> {
  return new Promise((resolve, reject) => {
    const payload: Record<string, unknown> = {};
    const files = new Map<string, UploadedFile>();
    const refuse = () => reject(new BotApiError(400, "Bad Request: can't parse multipart request"));
    let parser: InstanceType<typeof Busboy>;
    try {
      parser = new Busboy({
        headers: request.headers as BusboyHeaders,
        limits: { fileSize: MAX_FILE_BYTES, fieldSize: MAX_BODY_BYTES, files: 20, fields: 100 },
      });
    } catch {
      return refuse();
    }
    parser.on("field", (name, value) => {
      payload[name] = fieldValue(name, value);
    });
    parser.on("file", (part, stream, name, _encoding, mimeType) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("limit", () => reject(new BotApiError(413, "Request Entity Too Large")));
      stream.on("end", () => files.set(part, { name, mimeType, bytes: Buffer.concat(chunks) }));
    });
    parser.on("error", refuse);
    parser.on("finish", () => resolve({ payload, files }));
    request.on("error", reject);
    request.pipe(parser);
  });
}
