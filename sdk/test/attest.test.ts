import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Collateral, encodeBundle } from "@bombyx/protocol/attestation";
import { attestedNode, type QuoteVariant, SimulatedWorld } from "@bombyx/protocol/simulation";
import { toHex } from "@bombyx/protocol/wire";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attestCommand } from "../src/attest/command.ts";
import { runCli } from "../src/proxy/command.ts";

const now = Date.UTC(2026, 10, 1, 1);
const at = new Date(now).toISOString();
const reportData = Uint8Array.from({ length: 64 }, (_, i) => i);

let folder: string;
let world: SimulatedWorld;
let collateral: Collateral;
/** Flags of the good case. */
let good: string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bombyx-attest-"));
  world = await SimulatedWorld.create({ now });
  collateral = await world.collateral(now);
  await write("root.der", world.rootDer);
  await write("collateral.json", JSON.stringify(collateral));
  await write("quote.bin", await world.quote(reportData));
  good = flags({});
});
afterAll(() => rm(folder, { recursive: true }));

const path = (name: string) => join(folder, name);
const write = (name: string, content: string | Uint8Array) => writeFile(path(name), content);
const flags = (change: Record<string, string>) =>
  Object.entries({
    "--quote": path("quote.bin"),
    "--collateral": path("collateral.json"),
    "--at": at,
    "--root": path("root.der"),
    ...change,
  }).flat();

async function attest(...args: string[]) {
  let printed = "";
  const code = await attestCommand(args, { stdout: { write: (text) => (printed += text) } });
  expect(printed.endsWith("\n")).toBe(true);
  expect(printed.trimEnd()).not.toContain("\n");
  return { code, answer: JSON.parse(printed) as Record<string, unknown> };
}
const verify = (...args: string[]) => attest("verify", ...args);
async function verifyQuoteOf(variant: QuoteVariant, change: Record<string, string> = {}) {
  await write("variant.bin", await world.quote(reportData, variant));
  return verify(...flags({ "--quote": path("variant.bin"), ...change }));
}
const refused = (code: string, step: string) => ({
  code: 1,
  answer: { ok: false, code, step, message: expect.stringMatching(/^[A-Z"].+\.$/) },
});

describe("attest verify", () => {
  test("prints one object for a quote that is accepted", async () => {
    const { mrtd, rtmr0, rtmr1, rtmr2, rtmr3 } = world.row;
    expect(await verify(...good)).toEqual({
      code: 0,
      answer: expect.objectContaining({
        ok: true,
        status: "UpToDate",
        tcbEvaluation: 18,
        quoteVersion: 4,
        measurements: { mrtd, rtmr0, rtmr1, rtmr2, rtmr3 },
        imageHash: expect.stringMatching(/^[0-9a-f]{64}$/),
        reportData: toHex(reportData),
        simulated: true,
        checkedAt: at,
        judged: { measurements: false, reportData: false },
      }),
    });
  });

  test("trusts Intel's root alone when it is told of no other", async () => {
    const withoutRoot = good.slice(0, good.indexOf("--root"));
    expect(await verify(...withoutRoot)).toMatchObject(refused("CHAIN_ROOT", "chain"));
  });

  test("says at which step a quote is refused, and why", async () => {
    expect(await verifyQuoteOf({ body: { tdAttributes: "0100001000000000" } })).toMatchObject(
      refused("TD_DEBUG", "attributes"),
    );
    expect(await verifyQuoteOf({ header: { teeType: 0 } })).toMatchObject(refused("QUOTE_TEE_TYPE", "parse"));
    expect(await verifyQuoteOf({ header: { version: 3 as 4, teeType: 0 } })).toMatchObject(
      refused("QUOTE_VERSION", "parse"),
    );
    expect(await verifyQuoteOf({ body: { teeTcbSvn: `060103${"00".repeat(13)}` } })).toMatchObject(
      refused("MODULE_TCB_STATUS", "tcb"),
    );
  });

  test("reads version 5, hex, padding of other platforms, and what hosts set", async () => {
    expect(await verifyQuoteOf({ header: { version: 5, bodyType: 3 } })).toMatchObject({
      code: 0,
      answer: { quoteVersion: 5 },
    });
    await write("quote.hex", `0x${toHex(await world.quote(reportData)).toUpperCase()}\n`);
    expect(await verify(...flags({ "--quote": path("quote.hex") }))).toMatchObject({ code: 0 });
    expect(await verifyQuoteOf({ tail: new Uint8Array(3_000).fill(9) })).toMatchObject({ code: 0 });
    expect(await verifyQuoteOf({ body: { mrConfigId: "ab".repeat(48) } })).toMatchObject({
      code: 0,
      answer: { ownerRegisters: { mrConfigId: "ab".repeat(48) } },
    });
  });

  test("admits the extended features that TDX has, with x87 and SSE, and no others", async () => {
    expect(await verifyQuoteOf({ body: { xfam: "e71a060000000000" } })).toMatchObject({ code: 0 });
    expect(await verifyQuoteOf({ body: { xfam: "e602060000000000" } })).toMatchObject(
      refused("XFAM", "attributes"),
    );
    expect(await verifyQuoteOf({ body: { xfam: "e702060000000080" } })).toMatchObject(
      refused("XFAM", "attributes"),
    );
  });

  test("a certificate below another root must have its role's name all the same", async () => {
    const tcb_info_issuer_chain = collateral.pck_crl_issuer_chain;
    await write("roles.json", JSON.stringify({ ...collateral, tcb_info_issuer_chain }));
    expect(await verify(...flags({ "--collateral": path("roles.json") }))).toMatchObject(
      refused("CERT_ROLE", "chain"),
    );
  });

  test.each(["soon", "2026-11-31x", "2026-11-01T01:00:00", "1793494800000"])(
    "%s is no instant",
    async (time) => {
      expect(await verify(...flags({ "--at": time }))).toMatchObject(refused("TIME", "parse"));
    },
  );

  test("collateral that is not the nine strings is refused by name", async () => {
    const { pck_crl: _, ...eight } = collateral;
    for (const [text, words] of [
      ["{", "not JSON"],
      ["[]", "nine strings"],
      [JSON.stringify(eight), "pck_crl"],
      [JSON.stringify({ ...collateral, pck_crl: 1 }), "pck_crl"],
    ] as const) {
      await write("bad.json", text);
      const outcome = await verify(...flags({ "--collateral": path("bad.json") }));
      expect(outcome).toMatchObject(refused("COLLATERAL_FIELD", "parse"));
      expect(outcome.answer.message).toContain(words);
    }
    await write("ten.json", JSON.stringify({ ...collateral, pck_certificate_chain: "" }));
    expect(await verify(...flags({ "--collateral": path("ten.json") }))).toMatchObject({ code: 0 });
  });

  test("under a policy it judges measurements, report data and floors", async () => {
    const judged = async (policy: object) => {
      await write("policy.json", JSON.stringify(policy));
      return verify(...flags({ "--policy": path("policy.json") }));
    };
    expect(await judged({ rows: [world.row], reportData: toHex(reportData) })).toMatchObject({
      code: 0,
      answer: { judged: { measurements: true, reportData: true } },
    });
    expect(await judged(world.policy())).toMatchObject({ code: 0 });
    expect(await judged({ attestation: world.policy(), chainEndpoints: [] })).toMatchObject({ code: 0 });
    expect(await judged({ rows: [{ ...world.row, rtmr3: "00".repeat(48) }] })).toMatchObject(
      refused("MEASUREMENT", "measurement"),
    );
    expect(await judged({ reportData: "00".repeat(64) })).toMatchObject(
      refused("REPORT_DATA", "report_data"),
    );
    expect(await judged({ minTcbEvaluation: 19 })).toMatchObject(
      refused("COLLATERAL_EVALUATION", "collateral"),
    );
    expect(await judged({ rules: [] })).toMatchObject({ code: 2, answer: { ok: false, code: "USAGE" } });
  });

  test("wrong usage is told apart from a refusal", async () => {
    for (const args of [[], ["--quote", path("quote.bin")], ["--quote", path("absent"), "--collateral", "x"]])
      expect(await verify(...args)).toMatchObject({ code: 2, answer: { ok: false, code: "USAGE" } });
    expect(await attest("judge")).toMatchObject({ code: 2 });
  });
});

describe("a bundle", () => {
  const beacon = { chain: "bombyx-devnet", seqno: 7, hash: "ab".repeat(32) };
  const bundle = async () => (await attestedNode({ world, now, beacon, manifests: [] })).bundle;
  const root = () => ["--root", path("root.der")];

  test("is accepted as the gateway serves it, and as an editor that adds a line end leaves it", async () => {
    const bytes = encodeBundle(await bundle());
    await write("bundle.json", bytes);
    await write("proof.json", `${new TextDecoder().decode(bytes)}\r\n`);
    const served = await verify("--bundle", path("bundle.json"), "--at", at, ...root());
    expect(served).toMatchObject({
      code: 0,
      answer: {
        judged: { measurements: false, reportData: true },
        statement: { beacon: { ...beacon, checked: false }, gpu: "none" },
      },
    });
    expect(await verify("--bundle", path("proof.json"), "--at", at, ...root())).toEqual(served);
  });

  test("is judged by a policy module as a devnet writes it, and by the chain that the policy names", async () => {
    await write("bundle.json", encodeBundle(await bundle()));
    const policy = { attestation: world.policy() };
    await write("policy.mjs", `export default ${JSON.stringify(policy)};\n`);
    const judged = () => verify("--bundle", path("bundle.json"), "--at", at, "--policy", path("policy.mjs"));
    expect(await judged()).toMatchObject({
      code: 0,
      answer: { judged: { measurements: true, reportData: true } },
    });
    const chainEndpoints = ["http://127.0.0.1:9/one", "http://127.0.0.1:9/two"];
    await write("chained.json", JSON.stringify({ ...policy, chainEndpoints }));
    expect(
      await verify("--bundle", path("bundle.json"), "--at", at, "--policy", path("chained.json")),
    ).toMatchObject(refused("CHAIN_VIEW", "statement"));
  });

  test("whose statement is another's is refused", async () => {
    const [one, two] = [await bundle(), await bundle()];
    await write("mixed.json", encodeBundle({ ...one, statement: two.statement }));
    expect(await verify("--bundle", path("mixed.json"), "--at", at, ...root())).toMatchObject(
      refused("REPORT_DATA", "report_data"),
    );
  });

  test("that is not one is refused", async () => {
    for (const [text, code] of [
      ["", "BUNDLE_JSON"],
      ["{}", "BUNDLE_FIELD"],
    ] as const) {
      await write("none.json", text);
      expect(await verify("--bundle", path("none.json"), "--at", at)).toMatchObject(refused(code, "parse"));
    }
  });
});

test("attest show prints a quote field by field without judging it", async () => {
  await write("debug.bin", await world.quote(reportData, { body: { tdAttributes: "0100001000000000" } }));
  expect(await attest("show", path("debug.bin"))).toMatchObject({
    code: 0,
    answer: {
      version: 4,
      bodyType: 2,
      tdAttributes: "0100001000000000",
      mrtd: world.row.mrtd,
      reportData: toHex(reportData),
      platform: { fmspc: "dead00000000", pceSvn: 13 },
      certificates: [{ subject: "Bombyx Simulated PCK Certificate" }, {}, {}],
    },
  });
  await write("cut.bin", (await world.quote(reportData)).subarray(0, 1_000));
  expect(await attest("show", path("cut.bin"))).toMatchObject(refused("QUOTE_TRUNCATED", "parse"));
});

test("the command is part of bombyx", async () => {
  let printed = "";
  const shell = {
    env: {},
    stdout: { write: (text: string) => (printed += text) },
    stderr: { write: () => undefined },
    once: () => undefined,
  };
  expect(await runCli(["attest", "verify", ...good], shell)).toBe(0);
  expect(JSON.parse(printed)).toMatchObject({ ok: true });
  expect(await runCli(["--help"], shell)).toBe(0);
  expect(printed).toContain("bombyx attest verify --quote FILE --collateral FILE");
});

const vectors = join(process.env.BOMBYX_VECTORS ?? "", "tdx");
test.skipIf(!existsSync(vectors))(
  "real quotes are UpToDate on their days (skipped without the vectors folder)",
  async () => {
    const real = (quote: string, documents: string, time: string) =>
      verify("--quote", join(vectors, quote), "--collateral", join(vectors, documents), "--at", time);
    expect(
      await real("phala_v4_b0c06f.quote.bin", "phala_v4_b0c06f.collateral.json", "2025-06-25T00:00:00Z"),
    ).toMatchObject({ code: 0, answer: { status: "UpToDate", tcbEvaluation: 17, simulated: false } });
    expect(
      await real(
        "cocoon_v4_90c06f.quote.bin",
        "intel_90c06f_2026-02.collateral.json",
        "2026-03-01T00:00:00Z",
      ),
    ).toMatchObject({
      code: 0,
      answer: {
        tcbEvaluation: 18,
        imageHash: "04b3afd931d28680af91a15b09d672c40ad6b141f7f9089a8d67d595220f7436",
      },
    });
    expect(
      await real("cocoon_v4_90c06f.quote.bin", "phala_v4_b0c06f.collateral.json", "2025-06-25T00:00:00Z"),
    ).toMatchObject({ code: 1 });
  },
);
