import { extname } from "node:path";
import type { MessageContent } from "./messages.ts";
import type { FileState } from "./state.ts";
import { newToken, type World } from "./world.ts";

export interface FileToStore {
  readonly kind: FileState["kind"];
  readonly bytes: Uint8Array;
  readonly name: string;
  readonly mimeType: string;
  readonly durationS?: number;
}

export type StoredFile = FileState & { readonly id: string };

const FOLDERS: Readonly<Record<FileState["kind"], string>> = {
  photo: "photos",
  voice: "voice",
  document: "documents",
  audio: "music",
  video: "videos",
  animation: "animations",
};

/** Keeps a file; its id is good for every bot here, where Telegram gives each bot its own. */
export async function storeFile(world: World, file: FileToStore): Promise<StoredFile> {
  const id = `BAAC${newToken(world, 36)}`;
  const number = Object.keys(world.state.files).length;
  const extension = /^\.[a-z0-9]{1,8}$/i.exec(extname(file.name))?.[0] ?? "";
  const path = `${FOLDERS[file.kind]}/file_${number}${extension}`;
  await world.blobs.put(path, file.bytes);
  const size = file.kind === "photo" ? imageSize(file.bytes) : {};
  const state: FileState = {
    uniqueId: `AQAD${newToken(world, 9)}`,
    botId: null,
    name: file.name,
    mimeType: file.mimeType,
    size: file.bytes.length,
    path,
    kind: file.kind,
    ...size,
    ...(file.durationS !== undefined && { durationS: file.durationS }),
  };
  world.state.files[id] = state;
  world.changed();
  return { ...state, id };
}

export function findFile(world: World, id: string): StoredFile | undefined {
  const { files } = world.state;
  // The id is the asker's: `constructor` is no file.
  const state = Object.hasOwn(files, id) ? files[id] : undefined;
  return state && { ...state, id };
}

/** How a message carries the file. */
export function mediaContent(file: StoredFile): MessageContent {
  const base = { file_id: file.id, file_unique_id: file.uniqueId, file_size: file.size };
  const named = { ...base, file_name: file.name, mime_type: file.mimeType };
  const duration = file.durationS ?? 0;
  const size = { width: file.width ?? 0, height: file.height ?? 0 };
  switch (file.kind) {
    case "photo":
      return { photo: [{ ...base, ...size }] };
    case "voice":
      return { voice: { ...base, duration, mime_type: file.mimeType } };
    case "audio":
      return { audio: { ...named, duration } };
    case "video":
      return { video: { ...named, ...size, duration } };
    case "animation":
      return { animation: { ...named, ...size, duration }, document: named };
    case "document":
      return { document: named };
  }
}

/** Width and height of PNG, GIF and JPEG, which is what cameras and screenshots send. */
export function imageSize(bytes: Uint8Array): { width?: number; height?: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length >= 24 && view.getUint32(0) === 0x89504e47) {
    return { width: view.getUint32(16), height: view.getUint32(20) };
  }
  if (bytes.length >= 10 && view.getUint32(0) === 0x47494638) {
    return { width: view.getUint16(6, true), height: view.getUint16(8, true) };
  }
  if (bytes.length < 4 || view.getUint16(0) !== 0xffd8) return {};
  for (let at = 2; at + 9 < bytes.length; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint16(at);
    const isFrame = marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker);
    if (isFrame) return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    if (marker < 0xff01) break;
  }
  return {};
}
