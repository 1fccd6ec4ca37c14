import { open, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { BombyxError } from "@bombyx/protocol/wire";
import {
  getLlama,
  InsufficientMemoryError,
  type Llama,
  type LlamaContext,
  LlamaLogLevel,
  type LlamaModel,
  NoBinaryFoundError,
  readGgufFileInfo,
} from "node-llama-cpp";
import * as z from "zod";
import type { EngineStart } from "../pipe.ts";
import { smallModelBytes } from "../threads.ts";

export interface LoadedWeights {
  readonly llama: Llama;
  readonly model: LlamaModel;
  readonly context: LlamaContext;
  readonly contextTokens: number;
  readonly build: string;
  readonly flags: readonly string[];
}

/** Enough for a conversation, and small enough that several fit beside the weights. */
const defaultContextTokens = 8_192;
const batchTokens = 512;
/** The smallest that an entry of a GGUF header can be: an empty name, its length, type and place. */
const leastTensorBytes = 24n;
const leastEntryBytes = 13n;

/**
 * Loads the private copy of the weights and makes the context with one sequence per slot.
 * @throws BombyxError BAD_REQUEST with the fix: corrupt file, too little memory, no engine for this machine.
 */
export async function loadWeights(
  start: EngineStart,
  onProgress: (fraction: number) => void,
): Promise<LoadedWeights> {
  await refuseBrokenFile(start);
  let complaints: string[] | undefined = [];
  // After loading they are dropped: what llama.cpp says of a grammar quotes the request's schema.
  const llama = await startLlama(start, (message) => complaints?.push(message.trim()));
  try {
    const model = await llama.loadModel({
      modelPath: start.weightsPath,
      useMmap: start.weightsInMemory,
      onLoadProgress: onProgress,
    });
    const contextTokens = Math.min(start.contextTokens ?? defaultContextTokens, model.trainContextSize);
    const context = await model.createContext({
      sequences: start.slots,
      contextSize: contextTokens,
      batchSize: Math.min(batchTokens, contextTokens),
      threads: { ideal: start.threads, min: start.threads },
      failedCreationRemedy: false,
    });
    return {
      llama,
      model,
      context,
      contextTokens,
      build: await buildOf(llama),
      flags: flagsOf(start, llama),
    };
  } catch (error) {
    throw explained(error, complaints ?? [], start);
  } finally {
    complaints = undefined;
  }
}

/**
 * The header begins `magic ‖ u32 version ‖ u64 tensors ‖ u64 metadata entries`, little-endian. The parser
 * believes these counts and reads on behind the end of the file, so they are held against its size first.
 */
async function refuseImplausibleCounts({ weightsPath, weightsBytes }: EngineStart): Promise<void> {
  const header = Buffer.alloc(24);
  await using file = await open(weightsPath);
  const { bytesRead } = await file.read(header, 0, header.length, 0);
  const atLeast = header.readBigUInt64LE(8) * leastTensorBytes + header.readBigUInt64LE(16) * leastEntryBytes;
  if (bytesRead < header.length || atLeast > BigInt(weightsBytes))
    throw corrupt("its header promises more than it holds");
}

/** The header names every tensor and where it lies: a file that ends before the last one was cut. */
async function refuseBrokenFile(start: EngineStart): Promise<void> {
  const { weightsPath, weightsBytes } = start;
  await refuseImplausibleCounts(start);
  let info: Awaited<ReturnType<typeof readGgufFileInfo>>;
  try {
    info = await readGgufFileInfo(weightsPath, {
      sourceType: "filesystem",
      spliceSplitFiles: false,
      logWarnings: false,
    });
  } catch (error) {
    throw corrupt("its header cannot be read", error);
  }
  const split = splitSchema.safeParse(info.metadata);
  if (split.success && split.data.split.count > 1) {
    throw new BombyxError(
      "BAD_REQUEST",
      "The model is split over several files. Merge them with llama-gguf-split --merge and give the one file.",
      { field: "model" },
    );
  }
  const tensors = info.tensorInfo ?? [];
  if (tensors.length === 0) throw corrupt("it holds no tensors");
  const last = tensors.reduce((most, { fileOffset }) => Math.max(most, Number(fileOffset)), 0);
  if (last >= weightsBytes) {
    throw corrupt(`it has ${weightsBytes} bytes, but a tensor begins at byte ${last}: the file was cut`);
  }
}

async function startLlama(start: EngineStart, onComplaint: (message: string) => void): Promise<Llama> {
  try {
    return await getLlama({
      gpu: start.gpu ? "auto" : false,
      build: "never",
      skipDownload: true,
      progressLogs: false,
      maxThreads: start.threads,
      logLevel: LlamaLogLevel.error,
      logger: (_level, message) => onComplaint(message),
    });
  } catch (error) {
    if (!(error instanceof NoBinaryFoundError)) throw error;
    throw new BombyxError(
      "BAD_REQUEST",
      "There is no llama.cpp build for this machine among the installed packages. Install with optional dependencies (npm install without --omit=optional).",
      { cause: error },
    );
  }
}

function explained(error: unknown, complaints: readonly string[], start: EngineStart): Error {
  if (error instanceof BombyxError) return error;
  const complaint = complaints.find((line) =>
    /bounds|corrupt|incomplete|missing|unknown|unsupported|failed/i.test(line),
  );
  const reason = `${error instanceof Error ? error.message : String(error)} ${complaints.join(" ")}`;
  if (
    error instanceof InsufficientMemoryError ||
    /insufficient|out of memory|unable to allocate|not enough/i.test(reason)
  ) {
    return new BombyxError(
      "BAD_REQUEST",
      `There is too little memory for this model with ${start.slots} slots. Use a smaller model or quantisation, fewer --slots, or a smaller context.`,
      { field: "model", cause: error },
    );
  }
  return corrupt(complaint ?? "llama.cpp cannot load it", error);
}

const corrupt = (why: string, cause?: unknown): BombyxError =>
  new BombyxError(
    "BAD_REQUEST",
    `The model file is corrupt or of an unknown kind: ${why}. Download it again.`,
    {
      field: "model",
      cause,
    },
  );

const splitSchema = z.object({ split: z.object({ count: z.number() }) });
const packageSchema = z.object({ version: z.string() });

async function buildOf(llama: Llama): Promise<string> {
  const file = fileURLToPath(new URL("../package.json", import.meta.resolve("node-llama-cpp")));
  const { version } = packageSchema.parse(JSON.parse(await readFile(file, "utf8")));
  return `node-llama-cpp ${version}, llama.cpp ${llama.llamaCppRelease.release}, ${llama.buildType}`;
}

/** What changes answers or their safety, as the manifest states it. */
function flagsOf(start: EngineStart, llama: Llama): string[] {
  return [
    `gpu=${llama.gpu === false ? "none" : llama.gpu}`,
    "flash-attention=auto",
    `weights=${start.weightsInMemory ? "memory" : "disk"}`,
    `json=${start.weightsBytes < smallModelBytes ? "brief" : "full"}`,
  ];
}
