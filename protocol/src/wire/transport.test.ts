import { expect, it } from "vitest";
import { keepsSecrets } from "./index.ts";

it.each([
  ["https://gateway.example", true],
  ["http://127.0.0.1:8780", true],
  ["http://localhost:8780/base", true],
  ["http://[::1]:8780", true],
  ["http://gateway.example", false],
  ["http://192.168.0.7:8780", false],
  ["http://127.0.0.1.evil.example", false],
  ["http://localhost.evil.example", false],
  ["http://[::ffff:192.168.0.7]", false],
])("a credential on its way to %s is safe: %s", (url, safe) => {
  expect(keepsSecrets(new URL(url))).toBe(safe);
});
