import type { Collateral } from "../attestation/bundle.ts";
import type { AttestationPolicy, MeasurementRow } from "../attestation/policy.ts";
import { concat, fromBase64, fromHex, toBase64, toHex, utf8 } from "../wire/encoding.ts";
import { limits } from "../wire/limits.ts";
import {
  type CertificateFields,
  type CrlFields,
  mintCertificate,
  mintCrl,
  pem,
  pemBytes,
  sgxExtension,
} from "./certificate.ts";
import {
  componentSvns,
  documentDates,
  evaluation,
  fmspc,
  measurement,
  pceSvn,
  qeIdentity,
  qeSigner,
  tcbInfo,
  zeros,
} from "./documents.ts";
import { mintQuote, type QeReport, type QuoteBody, type QuoteHeader } from "./quote-writer.ts";
import { loadSigningKey, newSigningKey, type SigningKey } from "./signing-key.ts";
import {
  type CertificateRole,
  jwk,
  type KeptRole,
  type KeyRole,
  type WorldState,
  worldStateSchema,
} from "./world-state.ts";

/** Names of the simulated roles; none is one of Intel's. */
const names: Readonly<Record<CertificateRole, string>> = {
  root: "Bombyx Simulated Root CA",
  pckCa: "Bombyx Simulated PCK Platform CA",
  pck: "Bombyx Simulated PCK Certificate",
  tcbSigner: "Bombyx Simulated TCB Signing",
};

const dayMs = 86_400_000;

/** Changes to a quote that a verifier must judge; nothing given is a healthy TD. */
export interface QuoteVariant {
  /** Name of the machine: each has its own PPID, hence its own platform id. Default "one". */
  readonly platform?: string;
  readonly header?: Partial<QuoteHeader>;
  readonly body?: Partial<QuoteBody>;
  readonly qe?: Partial<QeReport>;
  /** Bytes behind the signature data. */
  readonly tail?: Uint8Array;
  readonly pckCertificate?: Partial<CertificateFields>;
  /** Replaces what the PCK certificate says of its platform. */
  readonly pceId?: string;
  readonly fmspc?: string;
  readonly svns?: readonly number[];
  readonly pceSvn?: number;
}

/** Changes to collateral; nothing given is current and good. */
export interface CollateralVariant {
  /** Roles whose certificates stand on their issuer's CRL (`pck`: that of `platform`). */
  readonly revoke?: readonly Exclude<CertificateRole, "root">[];
  readonly platform?: string;
  readonly tcbInfo?: Readonly<Record<string, unknown>>;
  readonly qeIdentity?: Readonly<Record<string, unknown>>;
  readonly rootCrl?: Partial<CrlFields>;
  readonly pckCrl?: Partial<CrlFields>;
}

export interface WorldOptions {
  /** ms since epoch; certificates are valid from a day before until ten years after. */
  readonly now: number;
  /** Overrides for certificates that a verifier must refuse. */
  readonly certificates?: Partial<Readonly<Record<KeptRole, Partial<CertificateFields>>>>;
}

/**
 * A synthetic TDX world under its own root (PROTOCOL §4): what Intel and a machine would issue,
 * minted, so that the one verifier judges it from first byte to last. Its quotes prove nothing.
 */
export class SimulatedWorld {
  readonly #createdAt: number;
  readonly #certificates: Readonly<Record<KeptRole, Uint8Array<ArrayBuffer>>>;
  readonly #rootSha256: string;
  /** Keys by role, so that a test can sign what a verifier must refuse. */
  readonly keys: Readonly<Record<KeyRole, SigningKey>>;
  /** The one release row of this world: the measurements of {@link quote} without a variant. */
  readonly row: MeasurementRow;

  private constructor(
    createdAt: number,
    keys: Readonly<Record<KeyRole, SigningKey>>,
    certificates: Readonly<Record<KeptRole, Uint8Array<ArrayBuffer>>>,
    rootSha256: string,
    row: MeasurementRow,
  ) {
    this.#createdAt = createdAt;
    this.keys = keys;
    this.#certificates = certificates;
    this.#rootSha256 = rootSha256;
    this.row = row;
  }

  /** A new world with new keys. */
  static async create({ now, certificates = {} }: WorldOptions): Promise<SimulatedWorld> {
    const keys = {
      root: await newSigningKey(),
      pckCa: await newSigningKey(),
      pck: await newSigningKey(),
      tcbSigner: await newSigningKey(),
      attestation: await newSigningKey(),
    };
    const issue = (role: KeptRole, pathLength: number | undefined) =>
      mintCertificate(
        {
          ...validity(now),
          subject: names[role],
          issuer: names.root,
          serial: serial(keys[role].point),
          point: keys[role].point,
          pathLength,
          ...certificates[role],
        },
        keys.root,
      );
    const issued = {
      root: await issue("root", 1),
      pckCa: await issue("pckCa", 0),
      tcbSigner: await issue("tcbSigner", undefined),
    };
    return SimulatedWorld.#assemble(now, keys, issued);
  }

  /**
   * The world that {@link toJSON} wrote.
   * @throws ZodError when `state` is not one.
   */
  static async load(state: unknown): Promise<SimulatedWorld> {
    const { createdAt, keys, certificates } = worldStateSchema.parse(state);
    return SimulatedWorld.#assemble(
      createdAt,
      {
        root: await loadSigningKey(keys.root),
        pckCa: await loadSigningKey(keys.pckCa),
        pck: await loadSigningKey(keys.pck),
        tcbSigner: await loadSigningKey(keys.tcbSigner),
        attestation: await loadSigningKey(keys.attestation),
      },
      {
        root: fromBase64(certificates.root),
        pckCa: fromBase64(certificates.pckCa),
        tcbSigner: fromBase64(certificates.tcbSigner),
      },
    );
  }

  static async #assemble(
    createdAt: number,
    keys: Readonly<Record<KeyRole, SigningKey>>,
    certificates: Readonly<Record<KeptRole, Uint8Array<ArrayBuffer>>>,
  ): Promise<SimulatedWorld> {
    const sha256 = toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", certificates.root)));
    const row = {
      release: "simulation",
      shape: "simulated",
      mrtd: await measurement("mrtd"),
      rtmr0: await measurement("rtmr0"),
      rtmr1: await measurement("rtmr1"),
      rtmr2: await measurement("rtmr2"),
      rtmr3: await measurement("rtmr3"),
    };
    return new SimulatedWorld(createdAt, keys, certificates, sha256, row);
  }

  get rootDer(): Uint8Array<ArrayBuffer> {
    return this.#certificates.root.slice();
  }

  /** Plain data for {@link load}. It holds the private keys: keep it in a file only its owner reads. */
  toJSON(): WorldState {
    const key = (role: KeyRole) => jwk.parse(this.keys[role].jwk);
    const certificate = (role: KeptRole) => toBase64(this.#certificates[role]);
    return {
      v: 1,
      createdAt: this.#createdAt,
      keys: {
        root: key("root"),
        pckCa: key("pckCa"),
        pck: key("pck"),
        tcbSigner: key("tcbSigner"),
        attestation: key("attestation"),
      },
      certificates: {
        root: certificate("root"),
        pckCa: certificate("pckCa"),
        tcbSigner: certificate("tcbSigner"),
      },
    };
  }

  /** The policy that admits this world and nothing else. */
  policy(overrides: Partial<AttestationPolicy> = {}): AttestationPolicy {
    return {
      name: "simulation",
      root: {
        name: names.root,
        sha256: this.#rootSha256,
        simulated: true,
        names: { root: names.root, pck: [names.pck], pckCa: [names.pckCa], tcbSigner: names.tcbSigner },
      },
      rows: [this.row],
      release: null,
      registry: "none",
      tcbExceptions: [],
      ownerRegisters: "zero",
      xfam: ["e702060000000000"],
      gpuModes: ["none", "cc"],
      minTcbEvaluation: evaluation,
      minCrlNumber: 1,
      collateralMaxAgeMs: 7 * dayMs,
      beaconMaxAgeMs: limits.beaconMaxAgeMs,
      chain: "bombyx-devnet",
      ...overrides,
    };
  }

  /** A quote over 64 bytes of report data. */
  async quote(reportData: Uint8Array, variant: QuoteVariant = {}): Promise<Uint8Array<ArrayBuffer>> {
    if (reportData.length !== 64) throw new RangeError("report data is 64 bytes");
    const pck = await this.pckCertificate(variant);
    return mintQuote(
      {
        header: {
          version: 4,
          bodyType: 2,
          attestationKeyType: 2,
          teeType: 0x81,
          qeVendorId: "939a7233f79c4ca9940a0db3957f0607",
          ...variant.header,
        },
        body: {
          teeTcbSvn: `070103${zeros(13)}`,
          mrSeam: await measurement("mrseam"),
          mrSignerSeam: zeros(48),
          seamAttributes: zeros(8),
          tdAttributes: "0000001000000000",
          xfam: "e702060000000000",
          mrTd: this.row.mrtd,
          mrConfigId: zeros(48),
          mrOwner: zeros(48),
          mrOwnerConfig: zeros(48),
          rtmr0: this.row.rtmr0,
          rtmr1: this.row.rtmr1,
          rtmr2: this.row.rtmr2,
          rtmr3: this.row.rtmr3,
          mrServiceTd: zeros(48),
          ...variant.body,
        },
        qe: {
          miscSelect: zeros(4),
          attributes: `11${zeros(15)}`,
          mrSigner: qeSigner,
          isvProdId: 2,
          isvSvn: 4,
          ...variant.qe,
        },
        reportData,
        pckChainPem: pemBytes(pck, this.#certificates.pckCa, this.#certificates.root),
        tail: variant.tail ?? new Uint8Array(0),
      },
      this.keys.pck,
      this.keys.attestation,
    );
  }

  /** The PCK certificate of a machine of this world, DER. */
  async pckCertificate(variant: QuoteVariant = {}): Promise<Uint8Array<ArrayBuffer>> {
    const ppid = await platformPpid(variant.platform);
    const platform = {
      ppid,
      svns: variant.svns ?? componentSvns,
      pceSvn: variant.pceSvn ?? pceSvn,
      pceId: fromHex(variant.pceId ?? "0000"),
      fmspc: fromHex((variant.fmspc ?? fmspc).toLowerCase()),
    };
    return mintCertificate(
      {
        ...validity(this.#createdAt),
        subject: names.pck,
        issuer: names.pckCa,
        serial: serial(ppid),
        point: this.keys.pck.point,
        pathLength: undefined,
        extensions: [sgxExtension(platform)],
        ...variant.pckCertificate,
      },
      this.keys.pckCa,
    );
  }

  /** Collateral as Intel's service would give it at `now`: issued an hour ago, valid for 30 days. */
  async collateral(now: number, variant: CollateralVariant = {}): Promise<Collateral> {
    const window = { thisUpdate: now - 3_600_000, nextUpdate: now + 30 * dayMs };
    const dates = documentDates(window.thisUpdate, window.nextUpdate);
    const revoke = new Set(variant.revoke);
    const rootRevoked = (["pckCa", "tcbSigner"] as const)
      .filter((role) => revoke.has(role))
      .map((role) => serial(this.keys[role].point));
    const pckRevoked = revoke.has("pck") ? [serial(await platformPpid(variant.platform))] : [];
    const rootCrl = await mintCrl(
      { ...window, issuer: names.root, revoked: rootRevoked, ...variant.rootCrl },
      this.keys.root,
    );
    const pckCrl = await mintCrl(
      { ...window, issuer: names.pckCa, revoked: pckRevoked, ...variant.pckCrl },
      this.keys.pckCa,
    );
    const tcbInfoText = JSON.stringify({ ...tcbInfo(dates), ...variant.tcbInfo });
    const qeIdentityText = JSON.stringify({ ...qeIdentity(dates), ...variant.qeIdentity });
    const signerChain = pem(this.#certificates.tcbSigner, this.#certificates.root);
    return {
      pck_crl_issuer_chain: pem(this.#certificates.pckCa, this.#certificates.root),
      root_ca_crl: toHex(rootCrl),
      pck_crl: toHex(pckCrl),
      tcb_info_issuer_chain: signerChain,
      tcb_info: tcbInfoText,
      tcb_info_signature: toHex(await this.keys.tcbSigner.sign(utf8(tcbInfoText))),
      qe_identity_issuer_chain: signerChain,
      qe_identity: qeIdentityText,
      qe_identity_signature: toHex(await this.keys.tcbSigner.sign(utf8(qeIdentityText))),
    };
  }
}

const validity = (now: number) => ({ notBefore: now - dayMs, notAfter: now + 3_650 * dayMs });
/** Positive, and stable for what it names, so that a revocation finds its certificate again. */
const serial = (name: Uint8Array) => concat(Uint8Array.of(0x51), name.subarray(0, 15));

async function platformPpid(name = "one"): Promise<Uint8Array> {
  const digest = await crypto.subtle.digest("SHA-256", utf8(`bombyx simulated platform\0${name}`));
  return new Uint8Array(digest, 0, 16);
}
