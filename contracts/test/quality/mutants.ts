import { readFileSync } from "node:fs";
import { type ContractName, contractNames, readSource } from "../../src/compile.ts";

/** A source with one thing wrong in it. */
export interface Mutant {
  /** file:line what, unique. */
  readonly id: string;
  /** Path under src. */
  readonly file: string;
  readonly source: string;
  /** Contracts whose code the file is part of. */
  readonly contracts: readonly ContractName[];
  /** Names of refusals thrown on the line or shortly after it. */
  readonly refusals: readonly string[];
}

const files: readonly [file: string, contracts: readonly ContractName[]][] = [
  ["client-channel/main.tolk", ["client-channel"]],
  ["client-channel/storage.tolk", ["client-channel"]],
  ["client-channel/fees.tolk", ["client-channel"]],
  ["node-account/main.tolk", ["node-account"]],
  ["node-account/storage.tolk", ["node-account"]],
  ["node-account/fees.tolk", ["node-account"]],
  ["vault/main.tolk", ["vault"]],
  ["vault/storage.tolk", ["vault"]],
  ["merkle/sum-tree.tolk", ["vault"]],
  ["registry/main.tolk", ["registry"]],
  ["registry/storage.tolk", ["registry"]],
  ["rules/chain.tolk", contractNames],
];

const flips: Record<string, string> = { ">=": ">", "<=": "<", ">": ">=", "<": "<=", "==": "!=", "!=": "==" };

/** What a mode is swapped for: the one next to it that a tired author might have written. */
const modes: Record<string, string> = {
  SEND_MODE_CARRY_ALL_REMAINING_MESSAGE_VALUE: "SEND_MODE_CARRY_ALL_BALANCE",
  SEND_MODE_CARRY_ALL_BALANCE: "SEND_MODE_CARRY_ALL_REMAINING_MESSAGE_VALUE",
  SEND_MODE_PAY_FEES_SEPARATELY: "SEND_MODE_REGULAR",
  SEND_MODE_IGNORE_ERRORS: "SEND_MODE_BOUNCE_ON_ACTION_FAIL",
  RESERVE_MODE_AT_MOST: "RESERVE_MODE_EXACT_AMOUNT",
};

/** Blanks comments, keeping every position. */
function withoutComments(source: string): string {
  return source.replaceAll(/\/\/[^\n]*/g, (comment) => " ".repeat(comment.length));
}

interface Edit {
  readonly at: number;
  readonly length: number;
  readonly text: string;
  readonly what: string;
}

/** End of the statement that begins at `at`: its semicolon, outside parentheses. */
function statementEnd(code: string, at: number): number {
  let depth = 0;
  for (let position = at; position < code.length; position++) {
    const character = code[position];
    if (character === "(" || character === "{") depth++;
    if (character === ")" || character === "}") depth--;
    if (character === ";" && depth === 0) return position + 1;
  }
  throw new RangeError("a statement without an end");
}

function editsOf(code: string): Edit[] {
  const edits: Edit[] = [];
  for (const { index } of code.matchAll(/\bassert \(/g)) {
    const end = statementEnd(code, index);
    edits.push({ at: index, length: end - index, text: "", what: `without ${code.slice(index, end)}` });
  }
  for (const { index, 0: text } of code.matchAll(/[\w.]*\.(?:assertEnd\(\)|save\(\)|load\(\));/g)) {
    const alone = /[{};\n]\s*$/.test(code.slice(0, index));
    if (alone) edits.push({ at: index, length: text.length, text: "", what: `without ${text}` });
  }
  for (const { index } of code.matchAll(/\breserveToncoinsOnBalance\(/g)) {
    const end = statementEnd(code, index);
    edits.push({ at: index, length: end - index, text: "", what: `without ${code.slice(index, end)}` });
  }
  for (const { index, 0: text } of code.matchAll(/contract\.setData\([^;]*;/g)) {
    edits.push({ at: index, length: text.length, text: "", what: `without ${text}` });
  }
  for (const { index, 1: operator } of code.matchAll(/ (>=|<=|==|!=|>|<) /g)) {
    if (operator === undefined) continue;
    const flipped = flips[operator] as string;
    edits.push({ at: index + 1, length: operator.length, text: flipped, what: `${operator} as ${flipped}` });
  }
  for (const [mode, other] of Object.entries(modes)) {
    for (const { index } of code.matchAll(new RegExp(`\\b${mode}\\b`, "g"))) {
      edits.push({ at: index, length: mode.length, text: other, what: `${mode} as ${other}` });
    }
  }
  return edits.sort((one, other) => one.at - other.at);
}

/** The line of `at` and the three behind it. */
function nearby(source: string, at: number): string {
  const begin = source.lastIndexOf("\n", at) + 1;
  return source.slice(begin).split("\n", 4).join("\n");
}

/** Every mutant: each assert removed, each comparison flipped, each save dropped, each mode swapped. */
export function allMutants(): Mutant[] {
  return files.flatMap(([file, contracts]) => {
    const source = readSource(file);
    return editsOf(withoutComments(source)).map(({ at, length, text, what }) => {
      const line = source.slice(0, at).split("\n").length;
      const column = at - source.lastIndexOf("\n", at - 1);
      return {
        id: `${file}:${line}:${column} ${what.replaceAll(/\s+/g, " ")}`,
        file,
        source: source.slice(0, at) + text + source.slice(at + length),
        contracts,
        refusals: [...nearby(source, at).matchAll(/Refused\.(\w+)/g)].map(([, name]) => name as string),
      };
    });
  });
}

/** Reads sources with one of them replaced. */
export function reading({ file, source }: Mutant): (path: string) => string {
  return (path) =>
    path === file ? source : readFileSync(new URL(`../../src/${path}`, import.meta.url), "utf8");
}
