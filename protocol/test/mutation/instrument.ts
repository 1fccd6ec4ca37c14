import { stripTypeScriptTypes } from "node:module";
import { parseAst } from "rolldown/parseAst";

/** One way in which a source may be wrong. */
export interface Mutant {
  readonly id: number;
  readonly file: string;
  readonly line: number;
  /** What stands there, and what this mutant makes of it. */
  readonly original: string;
  readonly change: string;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

const swaps: Readonly<Record<string, readonly string[]>> = {
  "===": ["!=="],
  "!==": ["==="],
  "<": ["<=", ">="],
  "<=": ["<", ">"],
  ">": [">=", "<="],
  ">=": [">", "<"],
};
const members: Readonly<Record<string, string>> = { every: "some", some: "every", min: "max", max: "min" };

/**
 * Plain JavaScript of a TypeScript source in which every mutant is present and switched off: `$m(id)` is true
 * for the one that is on. So all mutants share one loading of the modules, and one mutant costs only the tests
 * that run it.
 */
export class Instrumenter {
  readonly mutants: Mutant[] = [];

  instrument(file: string, source: string): string {
    const code = stripTypeScriptTypes(source);
    const print = new Printer(file, code, this.mutants);
    const ast = parseAst(code) as unknown as Node;
    const preamble = "const $m=globalThis.$m,$c=globalThis.$c,$b=globalThis.$b,$t=globalThis.$t;";
    // on the first line, so that lines stay what they are
    return preamble + print.node(ast);
  }
}

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && typeof (value as Node).type === "string";

/** Copies a source, with every mutable place replaced by its switch. */
class Printer {
  readonly #file: string;
  readonly #code: string;
  readonly #mutants: Mutant[];

  constructor(file: string, code: string, mutants: Mutant[]) {
    this.#file = file;
    this.#code = code;
    this.#mutants = mutants;
  }

  node(node: Node): string {
    switch (node.type) {
      case "BinaryExpression":
        return this.#binary(node);
      case "LogicalExpression":
        return this.#logical(node);
      case "UnaryExpression":
        return node.operator === "!" ? this.#not(node) : this.#copy(node);
      case "IfStatement":
      case "ConditionalExpression":
        return this.#test(node);
      case "WhileStatement":
      case "ForStatement":
      case "ForOfStatement":
        return this.#loop(node);
      case "ExpressionStatement":
        return this.#statement(node);
      case "CallExpression":
        return this.#call(node);
      default:
        return this.#copy(node);
    }
  }

  #text(node: Node): string {
    return this.#code.slice(node.start, node.end);
  }

  #add(node: Node, change: string): number {
    const id = this.#mutants.length;
    const line = this.#code.slice(0, node.start).split("\n").length;
    const original = this.#text(node).replace(/\s+/g, " ").trim();
    this.#mutants.push({ id, file: this.#file, line, original, change });
    return id;
  }

  /** The source of a node, with its children printed by {@link node}. */
  #copy(node: Node, replaced: ReadonlyMap<Node, string> = new Map()): string {
    const children = childrenOf(node);
    let text = "";
    let at = node.start;
    for (const child of children) {
      text += this.#code.slice(at, child.start) + (replaced.get(child) ?? this.node(child));
      at = child.end;
    }
    return text + this.#code.slice(at, node.end);
  }

  #binary(node: Node): string {
    const operator = String(node.operator);
    const others = swaps[operator];
    const { left, right } = node;
    if (others === undefined || !isNode(left) || !isNode(right)) return this.#copy(node);
    const ids = others.map((other) => this.#add(node, `${operator} → ${other}`));
    return `$b(${JSON.stringify([operator, ...others])},${ids[0]},${this.node(left)},${this.node(right)})`;
  }

  /** A condition that is not asked: true in a conjunction, false in an alternative. */
  #logical(node: Node): string {
    const { left, right, operator } = node;
    if (!isNode(left) || !isNode(right) || operator === "??") return this.#copy(node);
    const switched = (side: Node) => {
      const printed = this.node(side);
      if (side.type === "LogicalExpression" && side.operator === operator) return printed;
      const id = this.#add(side, operator === "&&" ? "true" : "false");
      return operator === "&&" ? `($m(${id})||(${printed}))` : `(!$m(${id})&&(${printed}))`;
    };
    return `(${switched(left)}${String(operator)}${switched(right)})`;
  }

  #not(node: Node): string {
    const { argument } = node;
    if (!isNode(argument)) return this.#copy(node);
    const id = this.#add(node, "without !");
    return `($m(${id})!==!(${this.node(argument)}))`;
  }

  #condition(test: Node): string {
    const printed = this.node(test);
    const isSwitched = ["BinaryExpression", "LogicalExpression", "UnaryExpression"].includes(test.type);
    if (isSwitched && printed !== this.#text(test)) return printed;
    const yes = this.#add(test, "true");
    this.#add(test, "false");
    return `$c(${yes},${printed})`;
  }

  #test(node: Node): string {
    const { test } = node;
    return isNode(test) ? this.#copy(node, new Map([[test, this.#condition(test)]])) : this.#copy(node);
  }

  /** A mutant must not run for ever: every round is counted. */
  #loop(node: Node): string {
    const { test, body } = node;
    const replaced = new Map<Node, string>();
    if (isNode(test)) replaced.set(test, this.#condition(test));
    if (isNode(body)) replaced.set(body, `{$t();${this.node(body)}}`);
    return this.#copy(node, replaced);
  }

  /** A step that is left out: calls whose result nobody uses. */
  #statement(node: Node): string {
    const { expression } = node;
    if (!isNode(expression)) return this.#copy(node);
    const called = expression.type === "AwaitExpression" ? expression.argument : expression;
    if (!isNode(called) || called.type !== "CallExpression" || isSuper(called)) return this.#copy(node);
    const id = this.#add(node, "left out");
    // braces of its own, or an else behind it would find another if
    return `{if(!$m(${id})){${this.#copy(node)}}}`;
  }

  #call(node: Node): string {
    const { callee, arguments: given } = node;
    if (!isNode(callee)) return this.#copy(node);
    // one of several checks that run side by side
    if (callee.type === "Identifier" && callee.name === "inOrder" && Array.isArray(given)) {
      const replaced = new Map<Node, string>();
      for (const argument of given.filter(isNode)) {
        if (argument.type !== "CallExpression") continue;
        const id = this.#add(argument, "left out");
        replaced.set(argument, `($m(${id})?Promise.resolve():${this.node(argument)})`);
      }
      return this.#copy(node, replaced);
    }
    const { property, object, computed } = callee;
    if (callee.type !== "MemberExpression" || computed === true || !isNode(property) || !isNode(object))
      return this.#copy(node);
    const name = String(property.name);
    const other = Object.hasOwn(members, name) ? members[name] : undefined;
    // .min and .max of a schema are limits, not choices
    const isChoice = name === "every" || name === "some" || object.name === "Math";
    if (other === undefined || !isChoice) return this.#copy(node);
    const id = this.#add(property, other);
    const method = `${this.node(object)}[$m(${id})?"${other}":"${name}"]`;
    return this.#copy(node, new Map([[callee, method]]));
  }
}

const isSuper = ({ callee }: Node): boolean => isNode(callee) && callee.type === "Super";

function childrenOf(node: Node): Node[] {
  const children: Node[] = [];
  for (const [key, value] of Object.entries(node)) {
    if (key === "parent") continue;
    if (isNode(value)) children.push(value);
    else if (Array.isArray(value)) children.push(...value.filter(isNode));
  }
  // { a } and { a = 1 } list a node as key and again, alone or as a part, as value
  const distinct = children.filter(
    (child, i) =>
      !children.some(
        (other, j) =>
          j !== i &&
          other.start <= child.start &&
          child.end <= other.end &&
          (j < i || other.end - other.start > child.end - child.start),
      ),
  );
  return distinct.sort((a, b) => a.start - b.start);
}
