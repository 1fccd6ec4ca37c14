import { equal } from "node:assert/strict";
import { describe, expect, it } from "vitest";
import { CommandError } from "../src/deploy/command-error.ts";
import { partsOf } from "../src/deploy/deployment.ts";
import { parseTerms } from "../src/deploy/terms.ts";
import { grams } from "../src/deploy/words.ts";

const address = (digit: string): string => `0:${digit.repeat(64)}`;

const sound = {
  network: "testnet",
  owner: address("1"),
  guardian: address("2"),
  committer: address("3"),
  releaseKeys: [address("4"), address("5"), address("6")],
  ackKey: "a".repeat(64),
  feeBps: 1_000,
  salt: 7,
};

describe("terms of a deployment", () => {
  it("fix the addresses of a vault and a registry", () => {
    const [vault, registry] = partsOf(parseTerms(JSON.stringify(sound)));
    const [other] = partsOf(parseTerms(JSON.stringify({ ...sound, salt: "18446744073709551615" })));
    equal(new Set([vault, registry, other].map((part) => part.address.toRawString())).size, 3);
  });

  it.each([
    ["feeBps", 3_001],
    ["feeBps", 0.5],
    ["owner", `-1:${"1".repeat(64)}`],
    ["owner", "somebody"],
    ["guardian", sound.owner],
    ["releaseKeys", [address("4"), address("4"), address("6")]],
    ["releaseKeys", [address("4")]],
    ["ackKey", "beef"],
    ["salt", -1],
    ["salt", "18446744073709551616"],
    ["network", "moon"],
    ["surprise", true],
  ])("are refused by name when %s is %j", (field, value) => {
    const text = JSON.stringify({ ...sound, [field]: value });
    expect(() => parseTerms(text)).toThrow(CommandError);
    expect(() => parseTerms(text)).toThrow(field);
  });

  it("are refused when they are no JSON", () => {
    expect(() => parseTerms("{")).toThrow(CommandError);
  });
});

describe("an amount in words", () => {
  it.each([
    [0n, "0 GRAM"],
    [1n, "0.000000001 GRAM"],
    [1_250_000n, "0.00125 GRAM"],
    [12_000_000_000n, "12 GRAM"],
    [-5n, "-0.000000005 GRAM"],
    [123_456_789_012_345_678_901n, "123456789012.345678901 GRAM"],
  ])("%s nano is %s", (nano, words) => {
    equal(grams(nano), words);
  });
});
