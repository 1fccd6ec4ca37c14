import { BombyxError } from "@bombyx/protocol/wire";
import type { EngineJob, Tool } from "./engine.ts";
import { anyObjectGrammar, choiceGrammar } from "./gbnf.ts";
import type { JobGrammars } from "./pipe.ts";
import type { SchemaGuard, SchemaSource } from "./schema-guard.ts";

export const noGrammars: JobGrammars = { tools: [], names: null, answer: null };

/** The tools that a chat may call: all of them, none, or the one that `tool_choice` names. */
export function offeredTools(job: Extract<EngineJob, { kind: "chat" }>): readonly Tool[] {
  const { toolChoice, tools } = job;
  if (toolChoice === "none") return [];
  return typeof toolChoice === "object" ? tools.filter(({ name }) => name === toolChoice.name) : tools;
}

export const forcesTool = (job: Extract<EngineJob, { kind: "chat" }>): boolean =>
  job.toolChoice === "required" || typeof job.toolChoice === "object";

/**
 * What the request wants enforced, as grammars; foreign schemas are compiled by `guard`, outside the engine.
 * @throws BombyxError BAD_REQUEST naming `response_format`, `tools` or `tool_choice`.
 */
export async function compileGrammars(
  job: EngineJob,
  guard: SchemaGuard,
  brief: boolean,
): Promise<JobGrammars> {
  if (job.kind !== "chat") return noGrammars;
  const offered = offeredTools(job);
  if (forcesTool(job) && offered.length === 0) {
    throw new BombyxError(
      "BAD_REQUEST",
      "tool_choice asks for a tool that is not in tools. Add it to tools.",
      {
        field: "tool_choice",
      },
    );
  }
  const withArguments = offered.filter(takesArguments);
  const sources: SchemaSource[] = withArguments.map(({ parameters }) => ({
    schema: { type: "object", ...parameters },
    field: "tools",
  }));
  const { jsonSchema } = job;
  if (typeof jsonSchema === "object") sources.push({ schema: jsonSchema, field: "response_format" });
  const texts = await guard.compile(sources);
  return {
    tools: offered.map((tool) => texts[withArguments.indexOf(tool)] ?? null),
    names: offered.length > 1 ? choiceGrammar(offered.map(({ name }) => name)) : null,
    answer:
      jsonSchema === undefined
        ? null
        : jsonSchema === true
          ? anyObjectGrammar(brief)
          : (texts.at(-1) ?? null),
  };
}

/** No schema, an empty one, or an object without properties: such a tool takes none. */
const takesArguments = ({ parameters = {} }: Tool): boolean => {
  const { properties, additionalProperties, type: _, ...rest } = parameters;
  const constrained = ["$ref", "anyOf", "oneOf", "allOf"].some((keyword) => keyword in rest);
  return constrained || Object.keys(Object(properties)).length > 0 || Boolean(additionalProperties);
};
