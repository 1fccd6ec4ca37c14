import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  concat,
  decodeLinkMessage,
  decodeRequest,
  encodeLinkMessage,
  encodeRequest,
  gatewayControlSchema,
  linkHeaderBytes,
  linkKind,
  nodeControlSchema,
  type RequestHead,
  resumeHeadSchema,
  utf8,
} from "./index.ts";

const bad = expect.objectContaining({ code: "BAD_REQUEST" });
const head: RequestHead = {
  session: "5e".repeat(32),
  request: 63,
  idempotencyId: "1d".repeat(16),
  priceId: "2c".repeat(16),
  maxTokens: 256,
  capUnits: 4_096,
  continuation: false,
};

describe("a message on the node link", () => {
  it("comes back as it was sent, from the middle of a larger buffer too", () => {
    const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(linkKind)),
        u32,
        u32,
        fc.uint8Array({ maxLength: 600 }),
        (kind, stream, index, payload) => {
          const bytes = encodeLinkMessage(kind, stream, index, payload);
          expect(bytes.length).toBe(linkHeaderBytes + payload.length);
          const inside = concat(utf8("before"), bytes).subarray(6);
          expect(decodeLinkMessage(inside)).toEqual({ kind, stream, index, payload });
        },
      ),
    );
  });

  it("has its twelve bytes in this order", () => {
    expect([...encodeLinkMessage(linkKind.frame, 0x01020304, 0x05060708, Uint8Array.of(9))]).toEqual([
      1, 0x82, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
    ]);
  });

  it.each([
    ["is empty", new Uint8Array(0)],
    ["is short of its header", encodeLinkMessage(linkKind.cancel, 1, 2).subarray(0, 11)],
    ["is of another version", encodeLinkMessage(linkKind.cancel, 1, 2).fill(2, 0, 1)],
    ["has a reserved byte set", encodeLinkMessage(linkKind.cancel, 1, 2).fill(1, 3, 4)],
  ])("is refused when it %s", (_what, bytes) => {
    expect(() => decodeLinkMessage(bytes)).toThrowError(bad);
    expect(() => decodeLinkMessage(encodeLinkMessage(linkKind.cancel, 1, 2))).not.toThrow();
  });
});

describe("a request on the node link", () => {
  it("carries its head beside the sealed bytes", () => {
    const sealed = Uint8Array.of(1, 2, 3);
    expect(decodeRequest(encodeRequest(head, sealed))).toEqual({ head, sealed });
  });

  it.each([
    ["is empty", () => new Uint8Array(0)],
    ["is cut inside its head", () => encodeRequest(head, new Uint8Array(0)).subarray(0, 40)],
    ["has a head that is not UTF-8", () => encodeRequest(head, new Uint8Array(0)).fill(0xff, 10, 11)],
    ["names request 64", () => encodeRequest({ ...head, request: 64 }, new Uint8Array(0))],
    ["names half a session", () => encodeRequest({ ...head, session: "5e" }, new Uint8Array(0))],
    ["has a field too many", () => encodeRequest({ ...head, extra: 1 } as RequestHead, new Uint8Array(0))],
  ])("is refused when it %s", (_what, payload) => {
    expect(() => decodeRequest(payload())).toThrowError(bad);
  });

  it("that is resumed is named by session and id alone", () => {
    const { session, request } = head;
    expect(resumeHeadSchema.parse({ session, request })).toEqual({ session, request });
    expect(resumeHeadSchema.safeParse(head).success).toBe(false);
  });
});

describe("control on the node link", () => {
  it("turns a price's nano into bigint, and takes no number for it", () => {
    const welcome = (nanoPerUnit: unknown) => ({
      t: "welcome",
      node: "00".repeat(32),
      ackPk: "00".repeat(32),
      prices: [
        {
          id: "00".repeat(16),
          model: "spark",
          nanoPerUnit,
          promptMultiplier: 1,
          cachedMultiplier: 1,
          completionMultiplier: 1,
          reasoningMultiplier: 1,
        },
      ],
    });
    expect(gatewayControlSchema.parse(welcome("20"))).toMatchObject({ prices: [{ nanoPerUnit: 20n }] });
    for (const wrong of [20, "020", "-1", "2.5", "1".repeat(40)]) {
      expect(gatewayControlSchema.safeParse(welcome(wrong)).success).toBe(false);
    }
  });

  it("refuses what it does not know, by message and by field", () => {
    const load = { t: "load", running: 0, queued: 0, sessions: 0 };
    expect(nodeControlSchema.safeParse(load).success).toBe(true);
    expect(nodeControlSchema.safeParse({ ...load, extra: 1 }).success).toBe(false);
    expect(nodeControlSchema.safeParse({ t: "welcome" }).success).toBe(false);
    expect(nodeControlSchema.safeParse({ ...load, running: -1 }).success).toBe(false);
  });
});
