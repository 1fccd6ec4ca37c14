import { expect, it } from "vitest";
import { chromiumPath } from "./chromium.ts";

it("CHROMIUM_PATH names the browser for tests", () => {
  expect(chromiumPath(process.execPath)).toBe(process.execPath);
});

it("a CHROMIUM_PATH that names no file is an error, so that a slip does not skip tests", () => {
  expect(() => chromiumPath("/no/such/chromium")).toThrow(/CHROMIUM_PATH is \/no\/such\/chromium/);
});

it("without CHROMIUM_PATH the usual places are looked at, in order", () => {
  expect(chromiumPath("", ["/no/such/chromium", process.execPath, "/bin/sh"])).toBe(process.execPath);
  expect(chromiumPath("", ["/no/such/chromium"])).toBeUndefined();
});
