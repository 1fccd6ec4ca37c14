/** What a person wants to know of a model before asking it. */
export interface ModelFacts {
  /** As its maker writes it. */
  readonly name: string;
  /** Parameters, like `8B`; undefined where nobody says. */
  readonly size: string | undefined;
  /** The small model that comes with the project: it shows how everything works, and knows little. */
  readonly demo: boolean;
  /** Message ids of questions that it answers. */
  readonly starters: readonly string[];
}

/** The weights of Spark, by what a node attests. */
const sparkSha256 = "ced5cd1d39db42c677047621d02599e905fc785b2ae9d6d5fe24bb0a6f721ab7";

const sparkStarters = [
  "starter-spark-gateway",
  "starter-spark-story",
  "starter-spark-gpu",
  "starter-spark-capital",
];
const starters = ["starter-explain", "starter-write", "starter-plan", "starter-code"];

/**
 * @param id the model's name on the network, which its owner chose
 * @param ggufSha256 of the weights, as far as a node has attested them; they, not the name, tell Spark
 */
export function modelFacts(id: string, ggufSha256?: string): ModelFacts {
  const spark = ggufSha256 === undefined ? id === "spark" : ggufSha256 === sparkSha256;
  if (spark) return { name: "Spark", size: "2.7M", demo: true, starters: sparkStarters };
  return { name: id, size: sizeIn(id), demo: false, starters };
}

/** `llama-3.2-1b-instruct` says 1B; a version number is none. */
function sizeIn(id: string): string | undefined {
  const [, amount, unit] = /(?:^|[-_:. ])(\d{1,4}(?:\.\d{1,2})?)([bm])(?![a-z0-9])/i.exec(id) ?? [];
  return amount && unit ? `${amount}${unit.toUpperCase()}` : undefined;
}
