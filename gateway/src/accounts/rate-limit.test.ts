import { expect, it } from "vitest";
import { networkOf, RateLimiter } from "./rate-limit.ts";

it("counts an IPv6 network as one caller, however its addresses are written", () => {
  const names = ["2001:db8:1:2::1", "2001:DB8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::%eth0"].map(networkOf);
  expect(new Set(names)).toEqual(new Set(["2001:db8:1:2::/64"]));
  expect(networkOf("2001:db8:1:3::1")).toBe("2001:db8:1:3::/64");
  expect(networkOf("2001:db8::1")).toBe("2001:db8:0:0::/64");
  expect(networkOf("::1")).toBe("0:0:0:0::/64");
  const limiter = new RateLimiter("tries", { perMinute: 1, burst: 2 }, () => 0);
  for (const last of ["1", "2"]) limiter.take(networkOf(`2001:db8:1:2::${last}`));
  expect(() => limiter.take(networkOf("2001:db8:1:2::3"))).toThrow(
    expect.objectContaining({ code: "RATE_LIMITED" }),
  );
  limiter.take(networkOf("2001:db8:1:3::3"));
});

it("counts each IPv4 address by itself, mapped into IPv6 or not", () => {
  expect(networkOf("::ffff:192.0.2.1")).toBe("192.0.2.1");
  expect(networkOf("192.0.2.1")).toBe("192.0.2.1");
  expect(networkOf("::ffff:192.0.2.2")).toBe("192.0.2.2");
  expect(networkOf(undefined)).toBe("unknown");
});
