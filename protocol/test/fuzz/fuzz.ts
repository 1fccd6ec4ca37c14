import {
  AttestationError,
  type AttestationReason,
  type Bundle,
  type Collateral,
  encodeBundle,
  type OpenBundle,
  parsePemChain,
  parseQuote,
  type Statement,
} from "../../src/attestation/index.ts";
import type { QuoteBody } from "../../src/simulation/quote-writer.ts";
import { concat, toHex } from "../../src/wire/index.ts";
import { appraiseOpenly, Ground, reportData, zeros } from "../attacks/ground.ts";
import { refusals } from "../attacks/refusals.ts";
import { ReleaseDesk } from "../attacks/release-desk.ts";
import { Random } from "../random.ts";
import { bend, bendText, operateChain, operateHex } from "./surgery.ts";

export interface FuzzOptions {
  readonly seed: number;
  readonly cases: number;
  readonly onProgress?: (done: number) => void;
}

export interface FuzzReport {
  /** Refusals by reason. */
  readonly refused: Readonly<Record<string, number>>;
  readonly accepted: number;
  /** Of one judgement; one that takes longer than the limit is asked again, and its best counts. */
  readonly slowestMs: number;
}

/** What a judgement may take, whatever it is given. */
export const limitMs = 50;

/** A case: what is asked, and how to tell that an acceptance is one of nothing but what was signed. */
interface Case {
  readonly kind: string;
  ask(): Promise<unknown>;
  /** Called when the verifier accepted. @throws when something signed had changed */
  admit(): void;
}

/**
 * Throws mutated and re-signed quotes, collateral and bundles at the verifier.
 * @throws Error naming seed and case, when something is accepted that must not be, when a refusal is no typed
 * one, or when an answer takes too long
 */
export async function fuzz({ seed, cases, onProgress }: FuzzOptions): Promise<FuzzReport> {
  const random = new Random(seed);
  const ground = await Ground.prepare();
  const desk = await ReleaseDesk.open(ground);
  const refused: Record<string, number> = {};
  let accepted = 0;
  let slowestMs = 0;
  const reasons = Object.keys(refusals) as AttestationReason[];
  const makers = [
    quoteBytes,
    quoteBytes,
    quoteDer,
    collateralText,
    collateralText,
    bundleText,
    openBundleText,
    resigned,
    restated,
  ];
  for (let i = 0; i < cases; i++) {
    // first each reason's own attack, then whatever comes
    const reason = reasons[i];
    const one =
      reason !== undefined
        ? { kind: reason, ask: () => refusals[reason](ground, desk), admit: never }
        : i % 211 === 0
          ? large(ground, random)
          : await random.pick(makers)(ground, random);
    const { outcome, ms } = await timed(one);
    const best = ms > limitMs && reason === undefined ? await bestOf(one, ms) : ms;
    const where = `case ${i} of seed ${seed} (${one.kind})`;
    if (reason === undefined) slowestMs = Math.max(slowestMs, best);
    if (reason === undefined && best > limitMs) throw new Error(`${where} took ${best.toFixed(1)} ms`);
    if (outcome instanceof AttestationError) refused[outcome.reason] = (refused[outcome.reason] ?? 0) + 1;
    else if (outcome instanceof Error) throw new Error(`${where} was no typed refusal`, { cause: outcome });
    else {
      accepted++;
      try {
        one.admit();
      } catch (cause) {
        throw new Error(`${where} was accepted`, { cause });
      }
    }
    if (i % 500 === 0) onProgress?.(i);
  }
  return { refused, accepted, slowestMs };
}

/** Time on the clock or, where the process can tell, time that it computed: the lesser, for a busy machine. */
async function timed({ ask }: Case): Promise<{ outcome: unknown; ms: number }> {
  const used = globalThis.process?.cpuUsage?.();
  const from = performance.now();
  const outcome = await ask().catch((error: unknown) => error);
  const ms = performance.now() - from;
  if (used === undefined) return { outcome, ms };
  const { user, system } = process.cpuUsage(used);
  return { outcome, ms: Math.min(ms, (user + system) / 1_000) };
}

const triesMax = 20;

/** On a busy machine a slow answer says nothing; the same input slow every time does. */
async function bestOf(one: Case, first: number): Promise<number> {
  let best = first;
  for (let i = 0; i < triesMax && best > limitMs; i++) best = Math.min(best, (await timed(one)).ms);
  return best;
}

const never = () => {
  throw new Error("nothing of this kind is to be accepted");
};

function same(a: Uint8Array | string, b: Uint8Array | string, what: string): void {
  const text = (value: Uint8Array | string) => (typeof value === "string" ? value : toHex(value));
  if (text(a) !== text(b)) throw new Error(`${what} had changed`);
}

/** Every byte that some signature covers, and every key in between, is what it was. */
function sameSigned(quote: Uint8Array, good: Uint8Array): void {
  const [a, b] = [parseQuote(new Uint8Array(quote)), parseQuote(new Uint8Array(good))];
  same(a.signedPart, b.signedPart, "header and report");
  same(a.attestationKey, b.attestationKey, "the attestation key");
  same(a.qeReport.bytes, b.qeReport.bytes, "the quoting enclave's report");
  same(a.qeAuthentication, b.qeAuthentication, "authentication data");
  sameChain(a.pckChain, b.pckChain, "the PCK chain");
}

function sameChain(a: string, b: string, what: string): void {
  const [one, two] = [parsePemChain(a), parsePemChain(b)];
  same(String(one.length), String(two.length), `the length of ${what}`);
  for (const [i, certificate] of one.entries()) same(certificate.tbs, two[i]?.tbs ?? "", what);
}

function sameCollateral(a: Collateral, b: Collateral): void {
  for (const field of ["tcb_info", "qe_identity"] as const) same(a[field], b[field], field);
  for (const field of ["root_ca_crl", "pck_crl"] as const) {
    // all but the signature's last bytes, which may be written in another way that is as good
    same(a[field].slice(8, -160), b[field].slice(8, -160), field);
  }
  for (const field of ["tcb_info_issuer_chain", "qe_identity_issuer_chain"] as const)
    sameChain(a[field], b[field], field);
}

function quoteBytes(ground: Ground, random: Random): Case {
  let quote = bend(ground.quote, random);
  if (random.below(4) === 0) quote = bend(quote, random);
  return {
    kind: "bytes of a quote",
    ask: () => ground.verify({ quote }),
    admit: () => sameSigned(quote, ground.quote),
  };
}

const lengthsAt = {
  signature: 632,
  certification: 636 + 128 + 2,
  chain: 636 + 128 + 6 + 384 + 64 + 2 + 32 + 2,
};

/** Surgery on the certificates inside a quote, whose lengths are mended around them, mostly. */
function quoteDer(ground: Ground, random: Random): Case {
  const parsed = parseQuote(ground.quote);
  const chain = new TextEncoder().encode(operateChain(parsed.pckChain, random));
  const quote = concat(ground.quote.slice(0, lengthsAt.chain + 4), chain);
  const view = new DataView(quote.buffer);
  if (random.below(10) > 0) {
    view.setUint32(lengthsAt.chain, chain.length, true);
    view.setUint32(lengthsAt.certification, quote.length - lengthsAt.certification - 4, true);
    view.setUint32(lengthsAt.signature, quote.length - lengthsAt.signature - 4, true);
  }
  return {
    kind: "certificates of a quote",
    ask: () => ground.verify({ quote }),
    admit: () => sameSigned(quote, ground.quote),
  };
}

const fields = [
  "root_ca_crl",
  "pck_crl",
  "tcb_info_issuer_chain",
  "tcb_info",
  "tcb_info_signature",
  "qe_identity_issuer_chain",
  "qe_identity",
  "qe_identity_signature",
] as const;

function collateralText(ground: Ground, random: Random): Case {
  const field = random.pick(fields);
  const good = ground.collateral[field];
  const operated = () => {
    if (field.endsWith("crl")) return operateHex(good, random);
    return field.endsWith("chain") ? operateChain(good, random) : bendText(good, random);
  };
  const text = random.below(3) === 0 ? bendText(good, random) : operated();
  const collateral = { ...ground.collateral, [field]: text };
  return {
    kind: field,
    ask: () => ground.verify({ collateral }),
    admit: () => sameCollateral(collateral, ground.collateral),
  };
}

function bundleText(ground: Ground, random: Random): Case {
  const bundle = bend(ground.good.bytes, random);
  return {
    kind: "bytes of a bundle",
    ask: () => ground.appraise({ bundle }),
    admit: () => {
      const changed = JSON.parse(new TextDecoder().decode(bundle)) as Bundle;
      same(changed.statement, ground.good.bundle.statement, "the statement");
      same(JSON.stringify(changed.link), JSON.stringify(ground.good.bundle.link), "the link");
      sameSigned(
        Uint8Array.from(atob(changed.quote), (character) => character.charCodeAt(0)),
        Uint8Array.from(atob(ground.good.bundle.quote), (character) => character.charCodeAt(0)),
      );
      sameCollateral(changed.collateral, ground.good.bundle.collateral);
    },
  };
}

/** Bundles of the open tier, bent, and each tier's bundles under the other's policy. */
function openBundleText(ground: Ground, random: Random): Case {
  const way = random.below(4);
  if (way === 0)
    return {
      kind: "the open tier, strictly",
      ask: () => ground.appraise({ bundle: bend(ground.open.bytes, random) }),
      admit: never,
    };
  if (way === 1)
    return {
      kind: "a quote, openly",
      ask: () => appraiseOpenly(ground, { bundle: bend(ground.good.bytes, random) }),
      admit: never,
    };
  const bundle = bend(ground.open.bytes, random);
  return {
    kind: "bytes of an open bundle",
    ask: () => appraiseOpenly(ground, { bundle }),
    admit: () => {
      const changed = JSON.parse(new TextDecoder().decode(bundle)) as OpenBundle;
      same(changed.statement, ground.open.bundle.statement, "the statement");
      same(JSON.stringify(changed.link), JSON.stringify(ground.open.bundle.link), "the link");
    },
  };
}

/** Quotes that the simulated Intel signs anew: accepted exactly when nothing bad was drawn. */
async function resigned(ground: Ground, random: Random): Promise<Case> {
  const body: Record<string, string> = {};
  let bad = false;
  const draw = (field: keyof QuoteBody, good: readonly string[], others: readonly string[]) => {
    if (random.below(4) > 0) return;
    const isBad = random.below(2) === 0;
    body[field] = random.pick(isBad ? others : good);
    bad ||= isBad;
  };
  const random48 = () => toHex(random.bytes(48));
  draw(
    "teeTcbSvn",
    [`070103${zeros(13)}`, `080104${zeros(13)}`, `050003${zeros(13)}`],
    [`070203${zeros(13)}`, `020103${zeros(13)}`, `070102${zeros(13)}`, zeros(16)],
  );
  draw("mrSignerSeam", [zeros(48)], [random48(), `${zeros(47)}01`]);
  draw("seamAttributes", [zeros(8)], ["0000000000000001"]);
  draw(
    "tdAttributes",
    ["0000001000000000"],
    ["0100001000000000", zeros(8), "0000001000000080", "ff".repeat(8)],
  );
  draw("xfam", ["e702060000000000"], ["e700060000000000", zeros(8), "ff".repeat(8)]);
  draw("mrConfigId", [zeros(48)], [random48()]);
  draw("mrOwner", [zeros(48)], [random48()]);
  draw("mrOwnerConfig", [zeros(48)], [random48()]);
  const bodyType = random.pick([2, 3] as const);
  if (bodyType === 3) draw("mrServiceTd", [zeros(48)], [random48()]);
  const version = bodyType === 3 ? 5 : random.pick([4, 5] as const);
  const tail = random.bytes(random.below(3) * 35);
  const quote = await ground.world.quote(reportData, { header: { version, bodyType }, body, tail });
  const isBad = bad;
  return {
    kind: `signed anew ${JSON.stringify(body)}`,
    ask: () => ground.verify({ quote }),
    admit: () => {
      if (isBad) throw new Error("a bad field was drawn");
    },
  };
}

/** Bundles whose statement the quote commits to, whatever it says. */
async function restated(ground: Ground, random: Random): Promise<Case> {
  const changes: readonly [Partial<Statement>, boolean][] = [
    [{}, false],
    [{ epoch: random.below(1_000) }, false],
    [{ challenge: toHex(random.bytes(32)) }, false],
    [{ node: toHex(random.bytes(32)) }, true],
    [{ boot_id: toHex(random.bytes(16)) }, true],
    [{ sig_pk: toHex(random.bytes(32)) }, true],
    [{ suites: [1] }, true],
    [{ suites: [2, 2] }, true],
    [{ manifests: [toHex(random.bytes(32))] }, true],
    [{ manifests: [] }, true],
    [{ gpu: { mode: "plain", evidence: null } }, true],
    [{ gpu: { mode: "cc", evidence: toHex(random.bytes(32)) } }, true],
    [{ beacon: { chain: "ton", seqno: 990, hash: zeros(32) } }, true],
    [{ beacon: { chain: "bombyx-devnet", seqno: random.below(2_000), hash: toHex(random.bytes(32)) } }, true],
    [{ v: 2 as 1 }, true],
  ];
  const [statement, bad] = random.pick(changes);
  const { bundle } = await ground.node({ statement });
  const bytes = encodeBundle(bundle);
  return {
    kind: `stated anew ${JSON.stringify(statement)}`,
    ask: () => ground.appraise({ bundle: bytes }),
    admit: () => {
      if (bad) throw new Error("a bad field was stated");
    },
  };
}

const megabyte = 1_048_576;

/** Inputs of up to a megabyte, made to keep a parser busy. */
function large(ground: Ground, random: Random): Case {
  const size = random.below(megabyte);
  const field = random.pick(fields);
  const texts = [
    "A".repeat(size),
    "00".repeat(size / 2),
    `30${"83".repeat(size / 2)}`,
    "[".repeat(size),
    `{${'"a":'.repeat(size / 4)}`,
    "-----BEGIN CERTIFICATE-----\n".repeat(size / 28),
    `-----BEGIN CERTIFICATE-----\n${"A".repeat(size)}`,
    "\r\n\0".repeat(size / 3),
    ground.collateral[field].repeat(Math.ceil(size / ground.collateral[field].length)),
  ];
  const text = random.pick(texts);
  const collateral = { ...ground.collateral, [field]: text };
  // as much as is let in, too
  const fitting = { ...ground.collateral, [field]: text.slice(0, 230_000) };
  const bytes = new Uint8Array(size).fill(random.below(256));
  const padded = concat(ground.quote, bytes);
  const variants: readonly Omit<Case, "kind">[] = [
    { ask: () => ground.verify({ quote: bytes }), admit: never },
    // what is small enough is padding
    { ask: () => ground.verify({ quote: padded }), admit: () => sameSigned(padded, ground.quote) },
    { ask: () => ground.verify({ collateral }), admit: () => sameCollateral(collateral, ground.collateral) },
    {
      ask: () => ground.verify({ collateral: fitting }),
      admit: () => sameCollateral(fitting, ground.collateral),
    },
    { ask: () => ground.appraise({ bundle: bytes }), admit: never },
    {
      ask: () => ground.appraise({ bundle: new TextEncoder().encode(text).slice(0, 260_000) }),
      admit: never,
    },
  ];
  return { kind: "large", ...random.pick(variants) };
}
