import { describe, expect, it } from "vitest";
import { commandHeader, refusal } from "./local-guard.ts";

const origin = "http://127.0.0.1:8790";
const own = { host: "127.0.0.1:8790", "sec-fetch-site": "same-origin" };
const command = { ...own, origin, [commandHeader]: "1" };

describe("the playground's server", () => {
  it("lets its own page read and command, and lets a person open it from anywhere", () => {
    expect(refusal({ method: "GET", headers: own }, origin)).toBeUndefined();
    expect(refusal({ method: "POST", headers: command }, origin)).toBeUndefined();
    expect(refusal({ method: "GET", headers: { host: own.host } }, origin)).toBeUndefined();
    const followed = { host: own.host, "sec-fetch-site": "cross-site", "sec-fetch-dest": "document" };
    expect(refusal({ method: "GET", headers: followed }, origin)).toBeUndefined();
  });

  it.each([
    ["a name that resolves to this machine", "GET", { ...own, host: "attacker.example:8790" }],
    ["another port of this machine", "POST", { ...command, origin: "http://127.0.0.1:9999" }],
    ["another site's fetch", "GET", { ...own, "sec-fetch-site": "cross-site" }],
    ["another site's frame", "GET", { ...own, "sec-fetch-site": "cross-site", "sec-fetch-dest": "iframe" }],
    ["a form, which sends no header of its own", "POST", { ...own, origin }],
    ["an opaque origin", "POST", { ...command, origin: "null" }],
  ])("refuses %s", (_who, method, headers) => {
    expect(refusal({ method, headers }, origin)).toMatch(/only|Only|needs the header/);
  });
});
