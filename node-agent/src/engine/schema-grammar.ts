import { briefItems, jsonGrammar, literal } from "./gbnf.ts";

/** A schema that the grammar cannot enforce; `message` names the place and the fix. */
export class SchemaError extends Error {
  override readonly name = "SchemaError";
}

type Schema = Readonly<Record<string, unknown>>;

const maxDepth = 32;
const maxRules = 4_000;
const maxRepetitions = 1_000;
/** Keywords that would change what is valid and that no grammar here enforces. */
const unenforced = [
  "pattern",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "multipleOf",
  "uniqueItems",
  "contains",
  "patternProperties",
  "propertyNames",
  "dependentRequired",
  "dependentSchemas",
  "not",
  "if",
  "unevaluatedProperties",
  "unevaluatedItems",
  "minProperties",
  "maxProperties",
];

export interface GrammarStyle {
  /** Leave out what cannot be enforced (tools) instead of refusing it (response_format). */
  readonly lenient: boolean;
  /** Short strings, numbers and lists, for models that do not end them by themselves. */
  readonly brief: boolean;
}

/**
 * JSON Schema as a llama.cpp grammar (GBNF): properties in the schema's order, optional ones may be left
 * out, no properties beside those named unless none are. Annotations are ignored, as the specification has it.
 * @throws SchemaError
 */
export function schemaGrammar(schema: Schema, style: GrammarStyle): string {
  return new Compiler(schema, style).compile();
}

const isSchema = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);

class Compiler {
  readonly #root: Schema;
  readonly #lenient: boolean;
  readonly #brief: boolean;
  readonly #rules = new Map<string, string>();
  readonly #references = new Map<string, string>();

  constructor(root: Schema, { lenient, brief }: GrammarStyle) {
    this.#root = root;
    this.#lenient = lenient;
    this.#brief = brief;
  }

  compile(): string {
    return jsonGrammar(this.#visit(this.#root, "schema", 0), this.#rules, this.#brief);
  }

  #visit(schema: unknown, path: string, depth: number): string {
    if (depth > maxDepth) throw new SchemaError(`${path} is nested deeper than ${maxDepth} levels.`);
    if (schema === true) return "value";
    if (!isSchema(schema)) throw new SchemaError(`${path} is not a schema (an object).`);
    if (!this.#lenient) this.#refuseUnenforced(schema, path);
    if (typeof schema.$ref === "string") return this.#reference(schema.$ref, path, depth);
    if ("const" in schema) return literal(JSON.stringify(schema.const));
    if (Array.isArray(schema.enum))
      return this.#either(
        schema.enum.map((value) => literal(JSON.stringify(value))),
        path,
      );
    const alternatives = schema.anyOf ?? schema.oneOf;
    if (Array.isArray(alternatives)) {
      const each = alternatives.map((one, index) => this.#visit(one, `${path}.anyOf[${index}]`, depth + 1));
      return this.#either(each, path);
    }
    if (Array.isArray(schema.allOf)) return this.#all(schema, schema.allOf, path, depth);
    const type =
      schema.type ?? (isSchema(schema.properties) ? "object" : "items" in schema ? "array" : undefined);
    if (Array.isArray(type)) {
      return this.#either(
        type.map((one) => this.#typed(schema, one, path, depth)),
        path,
      );
    }
    return type === undefined ? "value" : this.#typed(schema, type, path, depth);
  }

  #refuseUnenforced(schema: Schema, path: string): void {
    const keyword = unenforced.find((name) => name in schema);
    if (keyword === undefined) return;
    throw new SchemaError(
      `${path} uses "${keyword}", which is not enforced here. Leave it out and check the answer yourself.`,
    );
  }

  #either(bodies: readonly string[], path: string): string {
    if (bodies.length === 0) throw new SchemaError(`${path} offers no alternative.`);
    return bodies.length === 1 ? (bodies[0] ?? "") : this.#rule(bodies.join(" | "));
  }

  /** Schemas of `allOf` are laid over each other where that is plain: object properties and annotations. */
  #all(schema: Schema, parts: readonly unknown[], path: string, depth: number): string {
    const { allOf: _, ...own } = schema;
    let merged: Record<string, unknown> = { ...own };
    for (const [index, part] of parts.entries()) {
      const resolved =
        isSchema(part) && typeof part.$ref === "string" ? this.#resolve(part.$ref, path) : part;
      if (!isSchema(resolved)) throw new SchemaError(`${path}.allOf[${index}] is not a schema (an object).`);
      const required = [...asNames(merged.required), ...asNames(resolved.required)];
      const properties = { ...asMap(merged.properties), ...asMap(resolved.properties) };
      merged = { ...merged, ...resolved };
      if (required.length > 0) merged.required = required;
      if (Object.keys(properties).length > 0) merged.properties = properties;
    }
    return this.#visit(merged, path, depth + 1);
  }

  #typed(schema: Schema, type: unknown, path: string, depth: number): string {
    switch (type) {
      case "object":
        return this.#object(schema, path, depth);
      case "array":
        return this.#array(schema, path, depth);
      case "string":
        return this.#string(schema, path);
      case "integer":
      case "number":
        return this.#number(schema, type, path);
      case "boolean":
      case "null":
        return type;
      default:
        throw new SchemaError(`${path}.type is ${JSON.stringify(type)}, which JSON does not have.`);
    }
  }

  #object(schema: Schema, path: string, depth: number): string {
    const properties = asMap(schema.properties);
    const names = Object.keys(properties);
    if (names.length === 0) {
      const extra = schema.additionalProperties;
      if (extra === false) return '"{" ws "}"';
      if (extra === undefined || extra === true) return "object";
      const value = this.#visit(extra, `${path}.additionalProperties`, depth + 1);
      const member = this.#rule(`string ":" ws ${value}`);
      return this.#rule(
        `"{" ws (${member} ("," ws ${member})${this.#brief ? `{0,${briefItems - 1}}` : "*"} ws)? "}"`,
      );
    }
    const required = new Set(asNames(schema.required));
    for (const name of required) {
      if (!names.includes(name))
        throw new SchemaError(`${path}.required names "${name}", which is no property.`);
    }
    // From the last property to the first: `first` may begin the object, `next` follows another member.
    let first: string | undefined;
    let next = '""';
    for (const name of names.toReversed()) {
      const value = this.#visit(properties[name], `${path}.properties.${name}`, depth + 1);
      const member = this.#rule(`${literal(JSON.stringify(name))} ":" ws ${value}`);
      const optional = !required.has(name);
      const begin = `${member} ${next}`;
      const follow = `"," ws ${member} ${next}`;
      first = this.#rule(optional ? `${begin} | ${first ?? '""'}` : begin);
      next = this.#rule(optional ? `${follow} | ${next}` : follow);
    }
    return this.#rule(`"{" ws ${first} ws "}"`);
  }

  #array(schema: Schema, path: string, depth: number): string {
    if ("prefixItems" in schema && !this.#lenient) {
      throw new SchemaError(
        `${path} uses "prefixItems", which is not enforced here. Use an object with named properties.`,
      );
    }
    const item = this.#rule(
      schema.items === undefined ? "value" : this.#visit(schema.items, `${path}.items`, depth + 1),
    );
    const [least, declared] = this.#bounds(schema, "minItems", "maxItems", path);
    const most = declared ?? (this.#brief ? Math.max(least, briefItems) : undefined);
    if (most === 0) return '"[" ws "]"';
    const more = `("," ws ${item}){${Math.max(0, least - 1)},${most === undefined ? "" : most - 1}}`;
    const items = `${item} ${more}`;
    return this.#rule(`"[" ws ${least > 0 ? items : `(${items})?`} ws "]"`);
  }

  #string(schema: Schema, path: string): string {
    const { format } = schema;
    if (format === "date" || format === "time" || format === "uuid") return `"\\"" ${format} "\\""`;
    if (format === "date-time") return '"\\"" date "T" time "\\""';
    const [least, most] = this.#bounds(schema, "minLength", "maxLength", path);
    if (least === 0 && most === undefined) return "string";
    return this.#rule(`"\\"" char{${least},${most ?? ""}} "\\""`);
  }

  #number(schema: Schema, type: "integer" | "number", path: string): string {
    const { minimum, maximum } = schema;
    const natural = type === "integer" && (minimum === 0 || minimum === 1);
    const free = (bound: unknown): boolean =>
      bound === undefined || (typeof bound === "number" && Math.abs(bound) >= Number.MAX_SAFE_INTEGER);
    if (!this.#lenient && !((free(minimum) || (natural && minimum === 0)) && free(maximum))) {
      const fits =
        "Only a minimum of 0 for integers is enforced here; list few values as an enum, or check the answer yourself.";
      throw new SchemaError(`${path} bounds a number with "minimum" or "maximum". ${fits}`);
    }
    return natural ? "natural" : type;
  }

  #bounds(schema: Schema, low: string, high: string, path: string): readonly [number, number | undefined] {
    const read = (name: string): number | undefined => {
      const value = schema[name];
      if (value === undefined) return undefined;
      if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= maxRepetitions)
        return value;
      if (this.#lenient) return undefined;
      throw new SchemaError(`${path}.${name} must be an integer from 0 to ${maxRepetitions}.`);
    };
    const least = read(low) ?? 0;
    const most = read(high);
    if (most !== undefined && most < least) throw new SchemaError(`${path}.${high} is below ${low}.`);
    return [least, most];
  }

  #reference(pointer: string, path: string, depth: number): string {
    const known = this.#references.get(pointer);
    if (known !== undefined) return known;
    const name = `ref${this.#references.size}`;
    this.#references.set(pointer, name);
    this.#rules.set(name, this.#visit(this.#resolve(pointer, path), pointer, depth + 1));
    return name;
  }

  #resolve(pointer: string, path: string): unknown {
    if (!pointer.startsWith("#"))
      throw new SchemaError(`${path}.$ref leaves the document. Use "#/$defs/Name".`);
    let at: unknown = this.#root;
    for (const step of pointer.split("/").slice(1)) {
      const key = decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~");
      at = isSchema(at) && Object.hasOwn(at, key) ? at[key] : undefined;
    }
    if (at === undefined) throw new SchemaError(`${path}.$ref points to ${pointer}, which is not there.`);
    return at;
  }

  #rule(body: string): string {
    if (this.#rules.size >= maxRules)
      throw new SchemaError(`The schema needs more than ${maxRules} grammar rules. Make it smaller.`);
    const name = `r${this.#rules.size}`;
    this.#rules.set(name, body);
    return name;
  }
}

const asNames = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((name): name is string => typeof name === "string") : [];
const asMap = (value: unknown): Schema => (isSchema(value) ? value : {});
