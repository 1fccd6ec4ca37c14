/** Rules of JSON in GBNF (llama.cpp's grammar notation); a schema's own rules stand on them. */
const rules: Readonly<Record<string, string>> = {
  ws: '(" " | "\\n" [ ]{0,16})?',
  char: '[^"\\\\\\x7F\\x00-\\x1F] | "\\\\" (["\\\\/bfnrt] | "u" [0-9a-fA-F]{4})',
  string: '"\\"" char* "\\""',
  integer: '"-"? ("0" | [1-9] [0-9]{0,15})',
  natural: '"0" | [1-9] [0-9]{0,15}',
  number: 'integer ("." [0-9]{1,16})? ([eE] [-+]? [0-9]{1,3})?',
  boolean: '"true" | "false"',
  null: '"null"',
  date: '[0-9]{4} "-" ("0" [1-9] | "1" [0-2]) "-" ("0" [1-9] | [12] [0-9] | "3" [01])',
  time: '([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9] ":" [0-5] [0-9] ("." [0-9]{1,9})? ("Z" | [-+] ([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9])',
  uuid: '[0-9a-f]{8} "-" [0-9a-f]{4} "-" [0-9a-f]{4} "-" [0-9a-f]{4} "-" [0-9a-f]{12}',
  value: "object | array | string | number | boolean | null",
  member: 'string ":" ws value',
  object: '"{" ws (member ("," ws member)* ws)? "}"',
  array: '"[" ws (value ("," ws value)* ws)? "]"',
};

/** A model that never closes a string or list by itself gets short plain ones, so that its JSON ends. */
const briefRules: Readonly<Record<string, string>> = {
  ws: '" "?',
  string: '"\\"" [A-Za-z0-9] [A-Za-z0-9 .,\'-]{0,23} "\\""',
  integer: '"-"? ("0" | [1-9] [0-9]{0,4})',
  natural: '"0" | [1-9] [0-9]{0,4}',
  number: 'integer ("." [0-9]{1,2})?',
  value: "string | number | boolean | null",
  object: '"{" ws (member ("," ws member){0,2} ws)? "}"',
  array: '"[" ws (value ("," ws value){0,2} ws)? "]"',
};

/** Items of a list that has no maximum of its own, for a model that gets brief JSON. */
export const briefItems = 3;

/** The whole grammar: `root`, the rules it was made with, and JSON's. */
export function jsonGrammar(root: string, own: ReadonlyMap<string, string>, brief: boolean): string {
  const all = { ...Object.fromEntries(own), ...rules, ...(brief && briefRules) };
  return [`root ::= ${root}`, ...Object.entries(all).map(([name, body]) => `${name} ::= ${body}`), ""].join(
    "\n",
  );
}

/** Matches exactly `text`. */
export const literal = (text: string): string =>
  `"${text.replace(/[\\"]/g, "\\$&").replace(/\n/g, "\\n").replace(/\r/g, "\\r").replace(/\t/g, "\\t")}"`;

/** Any JSON object. */
export const anyObjectGrammar = (brief: boolean): string => jsonGrammar("object", new Map(), brief);

/** One of some texts. */
export const choiceGrammar = (texts: readonly string[]): string =>
  `root ::= ${texts.map(literal).join(" | ")}\n`;

/** Any text that begins with `text`. */
export const beginningGrammar = (text: string): string => `root ::= ${literal(text)} [^\\x00]*\n`;
