import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";

export const repositoryRoot = fileURLToPath(new URL("../..", import.meta.url));
export const bundledModel = fileURLToPath(new URL("../models/spark.gguf", import.meta.url));

const port = z.coerce.number().int().min(0).max(65_535);

/** Every variable that `npm start` reads; devnet/README.md has the same as a table. */
export const environmentSchema = z.object({
  MODEL: z.string().min(1).optional(),
  MODEL_ID: z.string().min(1).max(128).optional(),
  DEVNET_DIR: z
    .string()
    .min(1)
    .default(".devnet")
    .transform((path) => resolve(repositoryRoot, path)),
  DEVNET_NODES: z.coerce.number().int().min(1).max(8).default(2),
  DEVNET_SLOTS: z.coerce.number().int().min(1).max(64).default(4),
  /** Tokens per second; 0 is as fast as the machine can. */
  DEVNET_PACE: z.coerce.number().min(0).max(10_000).optional(),
  DEVNET_GATEWAY_PORT: port.default(8780),
  DEVNET_METRICS_PORT: port.default(9464),
  DEVNET_CHAIN_PORT: port.default(8781),
  DEVNET_CHAIN_PORT_2: port.default(8782),
  DEVNET_PROXY_PORT: port.default(11711),
  /** nanoTON that the sponsor gives to the developer of this devnet. */
  DEVNET_ALLOWANCE_NANO: z
    .string()
    .regex(/^[1-9][0-9]{0,18}$/, "expected nanoTON as a decimal number")
    .default("100000000000"),
});
export type Environment = z.infer<typeof environmentSchema>;

/** @throws Error that names each variable, what it got and what it takes. */
export function readEnvironment(environment: NodeJS.ProcessEnv): Environment {
  const parsed = environmentSchema.safeParse(environment);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    const name = String(issue.path[0]);
    return `${name}=${environment[name] ?? ""}: ${issue.message}`;
  });
  throw new Error(
    `The environment is not right (devnet/README.md lists the variables):\n  ${problems.join("\n  ")}`,
  );
}
