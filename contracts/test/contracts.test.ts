import { beforeAll, describe, it } from "vitest";
import { compileContract } from "../src/compile.ts";
import { scenarios as path } from "./path.ts";
import { priceSets } from "./prices.ts";
import { type Codes, World } from "./world.ts";

let codes: Codes;

beforeAll(async () => {
  const [clientChannel, nodeAccount, vault] = await Promise.all(
    (["client-channel", "node-account", "vault"] as const).map((name) => compileContract(name)),
  );
  codes = {
    clientChannel: clientChannel!.code,
    nodeAccount: nodeAccount!.code,
    vault: vault!.code,
    registry: vault!.code,
  };
});

describe.each(priceSets)("prices %s", (prices) => {
  for (const { name, run } of path) {
    it(name, async () => run(await World.fresh(codes, prices)));
  }
});
