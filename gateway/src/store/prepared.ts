import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { CompiledQuery } from "kysely";

/** A query compiled once and run many times: Kysely checks it against the schema, then costs nothing per call. */
export interface Prepared<Input, Row> {
  all(input: Input): Row[];
  get(input: Input): Row | undefined;
  /** @returns rows changed. */
  run(input: Input): number;
}

class Placeholder {
  readonly name: PropertyKey;
  constructor(name: PropertyKey) {
    this.name = name;
  }
}

/**
 * @param build makes the query; `$` names a parameter where a value would stand.
 * @example prepare<{ key: string }>()(database, ($) => db.selectFrom("entries").selectAll().where("key", "=", $("key")))
 */
export function prepare<Input extends object>() {
  return <Row>(
    database: DatabaseSync,
    build: ($: <Name extends keyof Input>(name: Name) => Input[Name]) => { compile(): CompiledQuery<Row> },
  ): Prepared<Input, Row> => {
    const placeholder = <Name extends keyof Input>(name: Name) =>
      new Placeholder(name) as unknown as Input[Name];
    const { sql, parameters } = build(placeholder).compile();
    const statement = database.prepare(sql);
    const bind = (input: Input): SQLInputValue[] =>
      parameters.map((parameter) =>
        parameter instanceof Placeholder
          ? (Reflect.get(input, parameter.name) as SQLInputValue)
          : (parameter as SQLInputValue),
      );
    return {
      all: (input) => statement.all(...bind(input)) as Row[],
      get: (input) => statement.get(...bind(input)) as Row | undefined,
      run: (input) => Number(statement.run(...bind(input)).changes),
    };
  };
}
