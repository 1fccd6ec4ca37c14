import { expect, it } from "vitest";
import { linkKind } from "./links.ts";

it.each([
  ["https://ton.org/docs", "web"],
  ["ton.org", "web"],
  ["http://127.0.0.1:8780", "web"],
  ["https://t.me/durov", "telegram"],
  ["t.me/durov", "telegram"],
  ["tg://resolve?domain=durov", "telegram"],
  ["javascript:alert(1)", "none"],
  ["JaVaScRiPt:alert(1)", "none"],
  ["data:text/html,<script>", "none"],
  ["file:///etc/passwd", "none"],
  ["mailto:ada@example.org", "none"],
  ["https://", "none"],
])("%s leads to %s", (url, kind) => {
  expect(linkKind(url)).toBe(kind);
});
