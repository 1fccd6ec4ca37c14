import { resolveModel } from "@bombyx/node-agent";
import { bundledModel } from "../config.ts";

/** Tokens per second at which the bundled model is seen to stream; unpaced it is done in a blink. */
const bundledPace = 25;
const toldEveryMs = 1_000;

export interface ChosenModel {
  readonly path: string;
  /** Name that clients ask for. */
  readonly id: string;
  /** Tokens per second; 0 is as fast as the machine can. */
  readonly pace: number;
}

/**
 * The bundled model, or the one of `MODEL=`: downloaded once, here, so that the nodes do not all do it.
 * @throws BombyxError that says what is wrong with the name, the file or its hash.
 */
export async function chosenModel(options: {
  model: string | undefined;
  modelId: string | undefined;
  /** Where `bombyx-node` keeps its downloads as well; a reset does not clear it. */
  cacheDir: string;
  say: (text: string) => void;
  signal: AbortSignal;
}): Promise<ChosenModel> {
  const { model, modelId, cacheDir, say, signal } = options;
  if (model === undefined) return { path: bundledModel, id: modelId ?? "spark", pace: bundledPace };
  let toldAt = 0;
  const found = await resolveModel(model, {
    cacheDir,
    signal,
    onProgress: ({ receivedBytes, totalBytes }) => {
      if (Date.now() - toldAt < toldEveryMs && receivedBytes !== totalBytes) return;
      toldAt = Date.now();
      say(`  downloading the model: ${progress(receivedBytes, totalBytes)}`);
    },
  });
  return { path: found.path, id: modelId ?? found.id, pace: 0 };
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
const progress = (received: number, total: number | undefined): string =>
  total === undefined
    ? megabytes(received)
    : `${megabytes(received)} of ${megabytes(total)}, ${Math.floor((received / total) * 100)} %`;
