import { format } from "node:util";

/** Stands in for vitest's registration, so that tests can be run again and again in one process. */
export { expect } from "vitest";

/** No vectors: what runs here needs nothing from outside. */
export const inject = (): Readonly<Record<string, string>> => ({});

export interface Collected {
  readonly name: string;
  readonly file: string;
  readonly setup: readonly (() => unknown)[];
  run(): unknown;
}

export const collected: Collected[] = [];
interface Suite {
  names: string[];
  setup: (() => unknown)[];
  after: (() => unknown)[];
}
let suite: Suite = { names: [], setup: [], after: [] };
let file = "";
export function beginFile(name: string): void {
  file = name;
  suite = { names: [], setup: [], after: [] };
}

type Body = (...args: never[]) => unknown;
const named = (template: string, row: readonly unknown[]) => format(template, ...row);
const rows = (table: readonly unknown[]) =>
  table.map((row) => (Array.isArray(row) ? (row as unknown[]) : [row]));

function register(name: string, run: () => unknown): void {
  const { names, setup, after } = suite;
  const runWithEnd = async () => {
    try {
      await run();
    } finally {
      for (const act of after) await act();
    }
  };
  collected.push({ name: [...names, name].join(" > "), file, setup, run: runWithEnd });
}

export function test(name: string, run: Body): void {
  register(name, run as () => unknown);
}
test.each = (table: readonly unknown[]) => (template: string, run: Body) => {
  for (const row of rows(table)) register(named(template, row), () => run(...(row as never[])));
};
test.for = (table: readonly unknown[]) => (template: string, run: Body) => {
  for (const row of table) register(named(template, [row]), () => run(row as never));
};
test.skipIf = (skip: boolean) => (skip ? () => undefined : test);
export const it = test;

export function describe(name: string, body: Body, ...args: unknown[]): void {
  const outer = suite;
  suite = { names: [...outer.names, name], setup: [...outer.setup], after: [...outer.after] };
  body(...(args as never[]));
  suite = outer;
}
describe.each = (table: readonly unknown[]) => (template: string, body: Body) => {
  for (const row of rows(table)) describe(named(template, row), body, ...row);
};
describe.skipIf = (skip: boolean) => (skip ? () => undefined : describe);

/** Run behind each test of its file. */
export function afterEach(act: () => unknown): void {
  suite.after.push(act);
}

export function beforeAll(setup: () => unknown): void {
  suite.setup.push(setup);
}
