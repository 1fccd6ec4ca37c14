import { Worker } from "node:worker_threads";
import { BombyxError, limits } from "@bombyx/protocol/wire";
import { entryBeside } from "./entry.ts";
import type { SchemaOutcome, SchemaTask } from "./schema-worker.ts";

/** CPU time, so that a busy machine refuses no honest schema. */
const compileCpuMs = 50;
const compileWallMs = 2_000;
const checkEveryMs = 10;
const maxGrammarBytes = 512 * 1024;

/** A schema to enforce and the request field it came from. */
export interface SchemaSource {
  readonly schema: Readonly<Record<string, unknown>>;
  readonly field: "response_format" | "tools";
}

type Compiled = Exclude<SchemaOutcome, { readonly ready: true }>;

interface Compiler {
  readonly worker: Worker;
  /** Its own start is not counted as compile time. */
  readonly ready: Promise<void>;
}

/**
 * Compiles foreign schemas in a thread that is thrown away afterwards, and ended when it takes too long
 * (PROTOCOL §10). A spare thread is kept ready, since starting one takes longer than most compiles.
 */
export class SchemaGuard {
  #spare: Compiler | undefined;
  #closed = false;
  readonly #brief: boolean;

  /** @param brief Grammars for a model that does not end strings and lists by itself. */
  constructor(brief: boolean) {
    this.#brief = brief;
  }

  /**
   * @returns A GBNF text per schema.
   * @throws BombyxError BAD_REQUEST naming `response_format` or `tools`.
   */
  async compile(sources: readonly SchemaSource[]): Promise<readonly string[]> {
    for (const { schema, field } of sources) {
      const bytes = Buffer.byteLength(JSON.stringify(schema));
      if (bytes <= limits.schemaBytes) continue;
      throw refusal(
        field,
        `A schema has ${bytes} bytes; the limit is ${limits.schemaBytes}. Make it smaller.`,
      );
    }
    if (sources.length === 0) return [];
    const { worker, ready } = this.#spare ?? startCompiler();
    this.#spare = undefined;
    try {
      await ready;
      const outcome = await this.#watch(worker, sources);
      if ("grammars" in outcome) return this.#bounded(outcome.grammars, sources);
      throw refusal(sources[outcome.refused.index]?.field ?? "response_format", outcome.refused.reason);
    } finally {
      void worker.terminate();
      if (!this.#closed) this.#spare ??= startCompiler();
    }
  }

  /** Ends the spare thread. */
  close(): void {
    this.#closed = true;
    void this.#spare?.worker.terminate();
    this.#spare = undefined;
  }

  #bounded(grammars: readonly string[], sources: readonly SchemaSource[]): readonly string[] {
    const large = grammars.findIndex((grammar) => grammar.length > maxGrammarBytes);
    if (large < 0) return grammars;
    throw refusal(
      sources[large]?.field ?? "response_format",
      "A schema compiles to too large a grammar. Make it smaller.",
    );
  }

  #watch(worker: Worker, sources: readonly SchemaSource[]): Promise<Compiled> {
    const field = sources[0]?.field ?? "response_format";
    return new Promise((resolve, reject) => {
      const startedAt = performance.now();
      let cpuAtStart: number | undefined;
      const timer = setInterval(() => {
        void worker.cpuUsage().then(
          ({ user, system }) => {
            const cpuMs = (user + system) / 1_000;
            cpuAtStart ??= cpuMs;
            const slow = cpuMs - cpuAtStart > compileCpuMs || performance.now() - startedAt > compileWallMs;
            if (slow)
              end(
                refusal(
                  field,
                  `The schemas take longer than ${compileCpuMs} ms to compile. Make them smaller.`,
                ),
              );
          },
          () => undefined,
        );
      }, checkEveryMs);
      const end = (error: Error): void => {
        clearInterval(timer);
        reject(error);
      };
      worker.once("message", (outcome: Compiled) => {
        clearInterval(timer);
        resolve(outcome);
      });
      worker.once("error", () => end(refusal(field, "A schema could not be compiled.")));
      const task: SchemaTask = {
        schemas: sources.map(({ schema, field: from }) => ({
          schema,
          style: { lenient: from === "tools", brief: this.#brief },
        })),
      };
      worker.postMessage(task);
    });
  }
}

function startCompiler(): Compiler {
  const worker = new Worker(entryBeside(import.meta.url, "schema-worker"), {
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16 },
  });
  worker.unref();
  const ready = new Promise<void>((resolve, reject) => {
    worker.once("message", () => resolve());
    worker.once("error", reject);
  });
  ready.catch(() => undefined);
  return { worker, ready };
}

const refusal = (field: string, message: string): BombyxError =>
  new BombyxError("BAD_REQUEST", message, { field });
