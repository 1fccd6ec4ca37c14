import { z } from "zod";
import { badRequest } from "../api-error.ts";
import { MAX_CAPTION_LENGTH, readText } from "../text/input-text.ts";
import { findFile, mediaContent, type StoredFile, storeFile } from "../world/files.ts";
import type { MessageContent } from "../world/messages.ts";
import type { FileState } from "../world/state.ts";
import { type Method, type MethodContext, method } from "./method.ts";
import { boolean, chatId, entities, integer, messageId, placement } from "./parameters.ts";
import { resolveMentions, sendAs } from "./sending.ts";
import { edit } from "./text-messages.ts";

const MAX_PHOTO_BYTES = 10 * 1_048_576;
/** What `getFile` gives at most. */
const MAX_DOWNLOAD_BYTES = 20 * 1_048_576;

const caption = {
  caption: z.string().optional(),
  parse_mode: z.string().optional(),
  caption_entities: entities,
};

interface CaptionInput {
  readonly caption?: string | undefined;
  readonly parse_mode?: string | undefined;
  readonly caption_entities?: z.infer<typeof entities>;
}

/** A method that sends one file: `kind` is also the name of its parameter. */
function sendFile(kind: FileState["kind"], mimeType: string): Method {
  return method(
    z.looseObject({
      ...placement,
      ...caption,
      [kind]: z.unknown().optional(),
      duration: integer.optional(),
      has_spoiler: boolean.optional(),
    }),
    async (context, parameters) => {
      const given = (parameters as Record<string, unknown>)[kind];
      const file = await resolveFile(context, kind, given, { mimeType, durationS: parameters.duration });
      return sendAs(context, parameters, {
        ...mediaContent(file),
        ...readCaption(context, parameters),
        ...(parameters.has_spoiler && { has_media_spoiler: true }),
      });
    },
  );
}

const editMessageCaption = method(
  z.object({
    chat_id: chatId.optional(),
    message_id: messageId.optional(),
    inline_message_id: z.string().optional(),
    ...caption,
    reply_markup: z.unknown().optional(),
  }),
  (context, parameters) =>
    edit(context, parameters, (message) => {
      if (message.text !== undefined || message.rich_message !== undefined) {
        throw badRequest("there is no caption in the message to edit");
      }
      return {
        caption: undefined,
        caption_entities: undefined,
        ...readCaption(context, parameters),
      } as MessageContent;
    }),
);

const getFile = method(
  z.object({ file_id: z.string({ error: "file_id not specified" }) }),
  ({ world }, parameters) => {
    const file = findFile(world, parameters.file_id);
    if (!file) throw badRequest("wrong file_id or the file is temporarily unavailable");
    if (file.size > MAX_DOWNLOAD_BYTES) throw badRequest("file is too big");
    return { file_id: file.id, file_unique_id: file.uniqueId, file_size: file.size, file_path: file.path };
  },
);

export const mediaMethods: Readonly<Record<string, Method>> = {
  sendPhoto: sendFile("photo", "image/jpeg"),
  sendDocument: sendFile("document", "application/octet-stream"),
  sendVoice: sendFile("voice", "audio/ogg"),
  sendAudio: sendFile("audio", "audio/mpeg"),
  sendVideo: sendFile("video", "video/mp4"),
  sendAnimation: sendFile("animation", "video/mp4"),
  editMessageCaption,
  getFile,
};

/**
 * The file that a parameter means: a part of the request (`attach://name`, or of the parameter's own name) or a file_id.
 * An address is refused: this Telegram fetches nothing.
 */
async function resolveFile(
  context: MethodContext,
  kind: FileState["kind"],
  given: unknown,
  { mimeType, durationS }: { readonly mimeType: string; readonly durationS: number | undefined },
): Promise<StoredFile> {
  const attached =
    typeof given === "string" && given.startsWith("attach://") ? given.slice("attach://".length) : kind;
  const upload = context.files.get(attached);
  if (upload) {
    if (upload.bytes.length === 0) throw badRequest("file must be non-empty");
    if (kind === "photo" && upload.bytes.length > MAX_PHOTO_BYTES) throw badRequest("file is too big");
    const type = kind === "document" ? upload.mimeType : mimeType;
    return storeFile(context.world, {
      kind,
      bytes: upload.bytes,
      name: upload.name,
      mimeType: type,
      ...(durationS !== undefined && { durationS }),
    });
  }
  if (typeof given !== "string" || given === "") throw badRequest(`there is no ${kind} in the request`);
  if (/^https?:\/\//i.test(given)) throw badRequest("failed to get HTTP URL content");
  const file = findFile(context.world, given);
  if (!file) throw badRequest("wrong remote file identifier specified: Wrong string length");
  if (file.kind !== kind) throw badRequest(`can't use file of type ${title(file.kind)} as ${title(kind)}`);
  return file;
}

const title = (kind: string) => kind.charAt(0).toUpperCase() + kind.slice(1);

function readCaption(
  context: MethodContext,
  { caption: text = "", parse_mode, caption_entities }: CaptionInput,
): MessageContent {
  const read = readText(
    { text, parse_mode, entities: caption_entities },
    { max: MAX_CAPTION_LENGTH, tooLong: "message caption is too long" },
  );
  const found = resolveMentions(context, read.entities);
  return {
    ...(read.text !== "" && { caption: read.text }),
    ...(found.length > 0 && { caption_entities: found }),
  };
}
