import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { expect, it } from "vitest";
import { preferredPort } from "./port.ts";

it("takes a preferred port while it is free, and any other when somebody has it", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  expect(await preferredPort(port)).toBe(0);
  server.close();
  await once(server, "close");
  expect(await preferredPort(port)).toBe(port);
  expect(await preferredPort(0)).toBe(0);
});
