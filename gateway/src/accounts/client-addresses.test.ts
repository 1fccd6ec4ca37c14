import type { IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { ClientAddresses } from "./client-addresses.ts";

const from = (remoteAddress: string, forwarded?: string | string[]) =>
  ({
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { "x-forwarded-for": forwarded },
  }) as unknown as Pick<IncomingMessage, "headers" | "socket">;

describe("the address of a client", () => {
  const direct = new ClientAddresses();
  const behind = new ClientAddresses(["10.0.0.0/8", "fd00::/8", "192.0.2.7"]);

  it("is the connection's, whatever a header says, where no proxy is trusted", () => {
    expect(direct.of(from("203.0.113.9", "198.51.100.1"))).toBe("203.0.113.9");
    expect(direct.of(from("10.0.0.1", "198.51.100.1"))).toBe("10.0.0.1");
  });

  it("is the connection's when that is no trusted proxy", () => {
    expect(behind.of(from("203.0.113.9", "198.51.100.1"))).toBe("203.0.113.9");
  });

  it("is what the trusted proxy wrote, and not what its client wrote before it", () => {
    expect(behind.of(from("10.1.2.3", "198.51.100.1"))).toBe("198.51.100.1");
    expect(behind.of(from("10.1.2.3", "1.2.3.4, 5.6.7.8, 198.51.100.1"))).toBe("198.51.100.1");
    expect(behind.of(from("::ffff:10.1.2.3", "1.2.3.4,198.51.100.1"))).toBe("198.51.100.1");
    expect(behind.of(from("192.0.2.7", "2001:db8::5"))).toBe("2001:db8::5");
  });

  it("is found through a row of trusted proxies, with ports or without", () => {
    expect(behind.of(from("10.1.2.3", "9.9.9.9, 198.51.100.1:4711, fd00::2, 10.4.5.6"))).toBe("198.51.100.1");
    expect(behind.of(from("fd00::1", "[2001:db8::5]:80"))).toBe("2001:db8::5");
  });

  it("is the last trusted hop's where a proxy wrote nothing, or what is no address", () => {
    expect(behind.of(from("10.1.2.3"))).toBe("10.1.2.3");
    expect(behind.of(from("10.1.2.3", "198.51.100.1, unknown"))).toBe("10.1.2.3");
    expect(behind.of(from("10.1.2.3", "198.51.100.1, <script>, 10.4.5.6"))).toBe("10.4.5.6");
  });

  it("cannot be bought with a long header", () => {
    expect(behind.of(from("10.1.2.3", `198.51.100.1,${"10.0.0.1,".repeat(2_000)}10.0.0.1`))).toBe("10.0.0.1");
  });

  it.each([
    "10.0.0.0/33",
    "10.0.0/8",
    "fd00::/129",
    "*",
    "",
    "10.0.0.0/8/8",
    "fe80::1%eth0/64",
    "10.0.0.0/x",
  ])("takes no network %j", (network) => {
    expect(() => new ClientAddresses([network])).toThrow(RangeError);
  });
});
