import { parentPort } from "node:worker_threads";
import { type GrammarStyle, SchemaError, schemaGrammar } from "./schema-grammar.ts";

/** Compiles the schemas of one request; whoever started this thread ends it. */
export interface SchemaTask {
  readonly schemas: readonly {
    readonly schema: Readonly<Record<string, unknown>>;
    readonly style: GrammarStyle;
  }[];
}
export type SchemaOutcome =
  | { readonly ready: true }
  | { readonly grammars: readonly string[] }
  | { readonly refused: { readonly index: number; readonly reason: string } };

parentPort?.postMessage({ ready: true } satisfies SchemaOutcome);
parentPort?.once("message", (task: SchemaTask) => {
  const grammars: string[] = [];
  let outcome: SchemaOutcome = { grammars };
  for (const [index, { schema, style }] of task.schemas.entries()) {
    try {
      grammars.push(schemaGrammar(schema, style));
    } catch (error) {
      const reason = error instanceof SchemaError ? error.message : "The schema could not be compiled.";
      outcome = { refused: { index, reason } };
      break;
    }
  }
  parentPort?.postMessage(outcome);
});
