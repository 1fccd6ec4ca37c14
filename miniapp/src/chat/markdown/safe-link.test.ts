import { expect, it } from "vitest";
import { safeLink } from "./safe-link.ts";

it("admits whole http and https addresses", () => {
  expect(safeLink("https://a.example/x?y=1#z")).toBe("https://a.example/x?y=1#z");
  expect(safeLink("HTTP://a.example")).toBe("http://a.example/");
});

it.each([
  "javascript:alert(1)",
  "JaVaScRiPt:alert(1)",
  " javascript:alert(1)",
  "data:text/html,x",
  "tg://resolve?domain=a",
  "//a.example",
  "/path",
  "https://bank.example@evil.example/",
  "https://",
  "https:/a.example",
  "file:///etc/passwd",
])("leads nowhere for %s", (address) => {
  expect(safeLink(address)).toBeUndefined();
});

it("writes a host that looks like another one in its own letters", () => {
  expect(safeLink("https://аpple.com/")).toBe("https://xn--pple-43d.com/");
});
