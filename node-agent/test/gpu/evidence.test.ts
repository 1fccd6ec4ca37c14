import { concat, utf8 } from "@bombyx/protocol/wire";
import { describe, expect, it } from "vitest";
import type { GpuReason } from "../../src/gpu/error.ts";
import { type GpuExpectation, gpuNonce, verifyGpuEvidence } from "../../src/gpu/evidence.ts";
import type { GpuEvidence } from "../../src/index.ts";
import { MintedMaker, measurement, mintedAt } from "./minted-gpu.ts";

const maker = new MintedMaker();
const gpu = maker.device();
const nonce = new Uint8Array(32).fill(5);
const expected: GpuExpectation = { nonce, rootSha256: maker.rootSha256, now: mintedAt };
const good = gpu.evidence(nonce);

const judged = (evidence: GpuEvidence, changed: Partial<GpuExpectation> = {}): GpuReason | "admitted" => {
  try {
    verifyGpuEvidence(evidence, { ...expected, ...changed });
    return "admitted";
  } catch (error) {
    return (error as { reason: GpuReason }).reason;
  }
};

it("admits a GPU's own answer to this nonce, and reads what it says", () => {
  const { report, leaf } = verifyGpuEvidence(good, expected);
  expect(report).toMatchObject({ driverVersion: "550.90.07", vbiosVersion: "96.00.9F.00.01" });
  expect(report.measurements.get(1)).toEqual(new Uint8Array(48).fill(7));
  expect(leaf.subject).toContain("Minted GPU");
  // A report that names no firmware is admitted: older ones do not.
  expect(judged(gpu.evidence(nonce, { opaque: new Uint8Array(0) }))).toBe("admitted");
});

it("asks with a nonce of this boot: another boot id or signing key asks another", () => {
  const [boot, sig] = [new Uint8Array(16), new Uint8Array(32)];
  expect(Buffer.from(gpuNonce(boot, sig)).toString("hex")).toBe(
    "5a77a21b9fdab95be3df315350b4933888d26a133a04726565107a38fe27dcf4",
  );
  expect(gpuNonce(boot.with(0, 1), sig)).not.toEqual(gpuNonce(boot, sig));
  expect(gpuNonce(boot, sig.with(31, 1))).not.toEqual(gpuNonce(boot, sig));
});

it("refuses GPU evidence that is replayed, forged, foreign or out of date, each for its own reason", () => {
  expect(judged(good)).toBe("admitted");
  expect(judged(good, { nonce: nonce.with(0, 4) })).toBe("GPU_NONCE");
  const stranger = new MintedMaker();
  expect(judged(stranger.device().evidence(nonce))).toBe("GPU_CHAIN_ROOT");
  expect(judged(stranger.device().evidence(nonce), { rootSha256: stranger.rootSha256 })).toBe("admitted");
  // The pinned root at the end of a chain that it did not issue.
  const grafted = [...stranger.device().chain.slice(0, -1), gpu.chain.at(-1)!];
  expect(judged({ ...good, chain: grafted })).toBe("GPU_CHAIN_ISSUER");
  expect(judged({ ...good, chain: maker.device().chain })).toBe("GPU_SIGNATURE");
  expect(judged(gpu.evidence(nonce, { firmwareId: new Uint8Array(48).fill(1) }))).toBe("GPU_FIRMWARE_ID");
  expect(judged(gpu.evidence(nonce, { firmwareId: gpu.firmwareId.slice(0, 20) }))).toBe("GPU_FIRMWARE_ID");
});

it("judges certificates at the given time", () => {
  const brief = maker.device({ notAfter: mintedAt + 1_000 }).evidence(nonce);
  expect(judged(brief)).toBe("admitted");
  expect(judged(brief, { now: mintedAt + 1_000 })).toBe("admitted");
  expect(judged(brief, { now: mintedAt + 2_000 })).toBe("GPU_CHAIN_EXPIRED");
  expect(judged(good, { now: mintedAt - 366 * 24 * 3_600_000 })).toBe("GPU_CHAIN_EXPIRED");
  for (const now of [Number.NaN, mintedAt / 1_000, Number.POSITIVE_INFINITY]) {
    expect(judged(good, { now })).toBe("GPU_TIME");
  }
});

describe("a chain", () => {
  it.each([
    ["whose issuer is no CA", () => new MintedMaker({ issuerIsNoCa: true }), {}, "GPU_CHAIN_ISSUER"],
    ["that names another issuer", () => maker, { otherIssuerName: true }, "GPU_CHAIN_ISSUER"],
    ["signed by another key", () => maker, { otherIssuerKey: true }, "GPU_CHAIN_ISSUER"],
    ["whose signer of reports is a CA", () => maker, { leafIsCa: true }, "GPU_CHAIN_ISSUER"],
    ["with a key of another curve", () => maker, { curve: "brainpoolP384r1" }, "GPU_CHAIN_FORMAT"],
  ] as const)("%s is refused", (_, of, change, reason) => {
    const its = of();
    expect(judged(its.device(change).evidence(nonce), { rootSha256: its.rootSha256 })).toBe(reason);
  });

  it.each([
    ["empty", []],
    ["of the root alone", gpu.chain.slice(-1)],
    ["of nine", Array.from({ length: 9 }, () => gpu.chain[0]!)],
    ["of no certificates", [utf8("no"), ...gpu.chain.slice(1)]],
    ["with bytes behind one", [concat(gpu.chain[0]!, Uint8Array.of(0)), ...gpu.chain.slice(1)]],
    ["with a certificate of 9 kB", [new Uint8Array(9_000), ...gpu.chain.slice(1)]],
  ])("%s is refused", (_, chain) => {
    expect(judged({ ...good, chain })).toBe("GPU_CHAIN_FORMAT");
  });

  it("with one left out is refused", () => {
    expect(judged({ ...good, chain: gpu.chain.toSpliced(1, 1) })).toBe("GPU_CHAIN_ISSUER");
    expect(judged({ ...good, chain: gpu.chain.slice(0, -1) })).toBe("GPU_CHAIN_ROOT");
  });
});

describe("a report", () => {
  it("cut at any byte is refused as cut", () => {
    for (let length = 0; length < good.report.length; length++) {
      expect(judged({ ...good, report: good.report.slice(0, length) })).toBe("GPU_REPORT_TRUNCATED");
    }
    expect(judged(good)).toBe("admitted");
  });

  it("with any one bit of any byte turned round is refused", () => {
    const reasons = new Set<string>();
    for (const [at, byte] of good.report.entries()) {
      reasons.add(judged({ ...good, report: good.report.with(at, byte ^ (1 << (at % 8))) }));
    }
    expect(reasons).not.toContain("admitted");
    expect(reasons).toEqual(
      new Set(["GPU_REPORT_FORMAT", "GPU_REPORT_TRUNCATED", "GPU_NONCE", "GPU_SIGNATURE"]),
    );
  });

  const digest = new Uint8Array(48);
  it.each([
    ["bytes behind the signature", { tail: Uint8Array.of(0) }],
    ["no measurement", { record: new Uint8Array(0), blocks: 0 }],
    ["a measurement twice", { record: concat(measurement(1, digest), measurement(1, digest)) }],
    ["a measurement more than it counts", { blocks: 1 }],
    ["a measurement fewer than it counts", { blocks: 3 }],
    ["a measurement with two sizes", { record: measurement(1, digest).with(2, 52), blocks: 1 }],
    ["a field that is longer than all fields", { opaque: Uint8Array.of(3, 0, 9, 0, 1) }],
    ["a field twice", { opaque: Uint8Array.of(3, 0, 0, 0, 3, 0, 0, 0) }],
    ["a driver version that is no text", { opaque: Uint8Array.of(3, 0, 1, 0, 7) }],
    ["half a VBIOS version", { opaque: Uint8Array.of(6, 0, 1, 0, 7) }],
  ])("with %s is refused, although it is signed", (_, change) => {
    expect(judged(gpu.evidence(nonce, change))).toBe("GPU_REPORT_FORMAT");
  });

  it("of more than 64 kB is not read", () => {
    expect(judged({ ...good, report: new Uint8Array(65_537) })).toBe("GPU_EVIDENCE_TOO_LARGE");
  });
});
