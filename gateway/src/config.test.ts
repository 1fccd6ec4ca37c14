import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { strictPolicy } from "@bombyx/protocol/attestation";
import { SimulatedWorld } from "@bombyx/protocol/simulation";
import { afterAll, describe, expect, it } from "vitest";
import { readConfig } from "./config.ts";
import { PriceList } from "./prices.ts";

const folder = mkdtempSync(join(tmpdir(), "bombyx-config-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, content: unknown): string => {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
};
const chain = { BOMBYX_CHAIN_ENDPOINTS: "https://a.example/api/v2, https://b.example/api/v2" };

describe("settings", () => {
  it("are strict, local and complete when only the chain's endpoints are given", () => {
    expect(readConfig(chain)).toMatchObject({
      host: "127.0.0.1",
      port: 8_780,
      metricsHost: "127.0.0.1",
      policy: strictPolicy,
      chainEndpoints: ["https://a.example/api/v2", "https://b.example/api/v2"],
      origins: [],
    });
  });

  it.each([
    [{ ...chain, BOMBYX_OPEN_TIER: "1" }, "BOMBYX_OPEN_TIER=1: takes yes or no"],
    [{ ...chain, BOMBYX_PORT: "http" }, "BOMBYX_PORT=http: takes an integer from 0 to 65535"],
    [{ ...chain, BOMBYX_FEE_BPS: "9000" }, "BOMBYX_FEE_BPS=9000: takes an integer from 0 to 3000"],
    [{ BOMBYX_CHAIN_ENDPOINTS: "https://a.example" }, "takes two or more URLs"],
    [{}, "BOMBYX_CHAIN_ENDPOINTS is not set"],
    [{ ...chain, BOMBYX_SIMULATION: "/nowhere" }, "BOMBYX_SIMULATION=/nowhere cannot be read"],
    [{ ...chain, BOMBYX_INIT_DATA_KEYS: "ab".repeat(32) }, "only taken with BOMBYX_SIMULATION"],
  ])("that cannot be used are refused by name: %j", (environment, message) => {
    expect(() => readConfig(environment)).toThrow(message);
  });

  it("take a simulation's policy and chain from its file, and nothing looser than its schema", async () => {
    const policy = (await SimulatedWorld.create({ now: Date.now() })).policy();
    const chainEndpoints = ["http://127.0.0.1:1", "http://127.0.0.1:2"];
    const good = file("policy.json", { attestation: policy, chainEndpoints });
    expect(readConfig({ BOMBYX_SIMULATION: good })).toMatchObject({ policy, chainEndpoints });
    const bad = file("bad.json", { attestation: { ...policy, everything: true }, chainEndpoints });
    expect(() => readConfig({ BOMBYX_SIMULATION: bad })).toThrow("attestation");
  });

  it("take prices by model and a default, which give each row the id of its content", () => {
    const rates = {
      promptMultiplier: 1,
      cachedMultiplier: 2,
      completionMultiplier: 3,
      reasoningMultiplier: 4,
    };
    const BOMBYX_PRICES = file("prices.json", {
      default: { ...rates, nanoPerUnit: "7" },
      models: { spark: { ...rates, nanoPerUnit: "9" } },
    });
    const { prices, defaultPrice } = readConfig({ ...chain, BOMBYX_PRICES });
    const list = new PriceList(prices, defaultPrice);
    expect([list.for("spark").nanoPerUnit, list.for("other").nanoPerUnit]).toEqual([9n, 7n]);
    expect(list.byId(list.for("spark").id)).toEqual(list.for("spark"));
    expect(list.for("spark").id).not.toBe(list.for("other").id);
    expect(list.byId("0".repeat(32))).toBeUndefined();
  });
});
