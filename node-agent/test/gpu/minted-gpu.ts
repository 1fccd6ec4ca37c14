import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { concat, utf8 } from "@bombyx/protocol/wire";
import type { GpuEvidence, GpuEvidenceProvider, GpuState } from "../../src/index.ts";

/** In which minted certificates are valid, ms since epoch. */
export const mintedAt = 1_700_000_000_000;
const yearMs = 365 * 24 * 3_600_000;

const tlv = (tag: number, ...parts: readonly Uint8Array[]): Uint8Array => {
  const body = concat(...parts);
  const { length } = body;
  if (length < 0x80) return concat(Uint8Array.of(tag, length), body);
  if (length < 0x100) return concat(Uint8Array.of(tag, 0x81, length), body);
  return concat(Uint8Array.of(tag, 0x82, length >> 8, length & 0xff), body);
};
const sequence = (...parts: readonly Uint8Array[]) => tlv(0x30, ...parts);
const bytesOf = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));
const name = (common: string) =>
  sequence(tlv(0x31, sequence(bytesOf("0603550403"), tlv(0x0c, utf8(common)))));
const time = (at: number) => tlv(0x18, utf8(`${new Date(at).toISOString().replaceAll(/[-:T]|\.\d+/g, "")}`));
const ecdsaWithSha384 = sequence(bytesOf("06082a8648ce3d040303"));
/** Critical, as CAs have them. */
const extension = (oid: string, value: Uint8Array) =>
  sequence(bytesOf(oid), Uint8Array.of(1, 1, 0xff), tlv(0x04, value));
const dice = (firmwareId: Uint8Array) =>
  sequence(bytesOf("06066781050504 01".replace(" ", "")), tlv(0x04, sequence(tlv(0x04, firmwareId))));

interface Party {
  readonly common: string;
  readonly key: KeyObject;
  readonly der: Uint8Array;
}

/** What a forger, or time, changes of a chain. */
export interface ChainChange {
  /** The certificate above the device's own is no CA, although its key usage says that it signs certificates. */
  readonly issuerIsNoCa?: boolean;
  readonly notAfter?: number;
  /** The device's certificate names another issuer. */
  readonly otherIssuerName?: boolean;
  /** The device's certificate is signed by a key that is not its issuer's. */
  readonly otherIssuerKey?: boolean;
  readonly curve?: string;
  readonly leafIsCa?: boolean;
}

/** A maker of GPUs with a root of its own: three CAs and any number of devices. */
export class MintedMaker {
  readonly #cas: readonly Party[];
  #serial = 1;
  /** Of its root's DER. */
  readonly rootSha256: string;

  constructor(change: ChainChange = {}) {
    const root = this.#party("Minted Device Identity CA", undefined, { ca: true });
    const identity = this.#party("Minted Identity", root, { ca: true });
    const provisioner = this.#party("Minted Provisioner", identity, {
      ca: change.issuerIsNoCa !== true,
      signsCertificates: true,
    });
    this.#cas = [provisioner, identity, root];
    this.rootSha256 = createHash("sha256").update(root.der).digest("hex");
  }

  /** A device of this maker, which answers any nonce. */
  device(change: ChainChange = {}): MintedGpu {
    const firmwareId = createHash("sha384").update(`firmware ${this.#serial}`).digest();
    const [issuer] = this.#cas;
    const above = { ...issuer!, ...(change.otherIssuerName && { common: "Somebody Else" }) };
    const signer = change.otherIssuerKey ? { ...above, key: newKey() } : above;
    const leaf = this.#party(`Minted GPU ${this.#serial}`, signer, {
      ca: change.leafIsCa === true,
      firmwareId,
      ...(change.notAfter !== undefined && { notAfter: change.notAfter }),
      ...(change.curve !== undefined && { curve: change.curve }),
    });
    return new MintedGpu(leaf.key, [leaf.der, ...this.#cas.map(({ der }) => der)], firmwareId);
  }

  #party(
    common: string,
    issuer: Party | undefined,
    rules: {
      ca: boolean;
      signsCertificates?: boolean;
      firmwareId?: Uint8Array;
      notAfter?: number;
      curve?: string;
    },
  ): Party {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: rules.curve ?? "secp384r1" });
    const tbs = sequence(
      tlv(0xa0, bytesOf("020102")),
      tlv(0x02, Uint8Array.of(this.#serial++)),
      ecdsaWithSha384,
      name(issuer?.common ?? common),
      sequence(time(mintedAt - yearMs), time(rules.notAfter ?? mintedAt + yearMs)),
      name(common),
      publicKey.export({ type: "spki", format: "der" }),
      tlv(
        0xa3,
        sequence(
          extension("0603551d13", rules.ca ? bytesOf("30030101ff") : bytesOf("3000")),
          extension("0603551d0f", bytesOf(rules.ca || rules.signsCertificates ? "03020204" : "03020780")),
          ...(rules.firmwareId ? [dice(rules.firmwareId)] : []),
        ),
      ),
    );
    const signature = sign("sha384", tbs, issuer?.key ?? privateKey);
    return {
      common,
      key: privateKey,
      der: sequence(tbs, ecdsaWithSha384, tlv(0x03, Uint8Array.of(0), signature)),
    };
  }
}

const newKey = (): KeyObject => generateKeyPairSync("ec", { namedCurve: "secp384r1" }).privateKey;
const u16 = (value: number) => Uint8Array.of(value & 0xff, value >> 8);
const opaque = (type: number, data: Uint8Array) => concat(u16(type), u16(data.length), data);

/** What a report says otherwise than a good one. */
export interface ReportChange {
  readonly firmwareId?: Uint8Array;
  /** Replaces the field of measurements. */
  readonly record?: Uint8Array;
  readonly blocks?: number;
  readonly opaque?: Uint8Array;
  /** Stands behind the signature. */
  readonly tail?: Uint8Array;
}

export const measurement = (index: number, value: Uint8Array) =>
  concat(Uint8Array.of(index, 1), u16(value.length + 3), Uint8Array.of(1), u16(value.length), value);

/** A GPU of a minted maker. */
export class MintedGpu {
  readonly #key: KeyObject;
  readonly chain: readonly Uint8Array[];
  readonly firmwareId: Uint8Array;

  constructor(key: KeyObject, chain: readonly Uint8Array[], firmwareId: Uint8Array) {
    this.#key = key;
    this.chain = chain;
    this.firmwareId = firmwareId;
  }

  evidence(nonce: Uint8Array, change: ReportChange = {}): GpuEvidence {
    const record =
      change.record ?? concat(measurement(1, new Uint8Array(48).fill(7)), measurement(2, new Uint8Array(48)));
    const fields =
      change.opaque ??
      concat(
        opaque(6, bytesOf("009f009601000000")),
        opaque(3, utf8("550.90.07\0")),
        opaque(20, change.firmwareId ?? this.firmwareId),
      );
    const signed = concat(
      bytesOf("11e001ff"),
      nonce,
      Uint8Array.of(0),
      bytesOf("11600000"),
      Uint8Array.of(change.blocks ?? 2),
      u16(record.length),
      Uint8Array.of(0),
      record,
      new Uint8Array(32).fill(9),
      u16(fields.length),
      fields,
    );
    const signature = sign("sha384", signed, { key: this.#key, dsaEncoding: "ieee-p1363" });
    return { report: concat(signed, signature, change.tail ?? new Uint8Array(0)), chain: this.chain };
  }
}

/** A provider whose machine a test changes under the node. */
export class MintedProvider implements GpuEvidenceProvider {
  gpus: readonly MintedGpu[];
  current: GpuState | undefined;
  /** Nonces that were answered. */
  readonly asked: Uint8Array[] = [];

  constructor(...gpus: readonly MintedGpu[]) {
    this.gpus = gpus;
    this.current = { count: gpus.length, confidential: true, developer: false };
  }

  async state(): Promise<GpuState | undefined> {
    return this.current;
  }

  async collect(nonce: Uint8Array): Promise<readonly GpuEvidence[]> {
    this.asked.push(nonce);
    return this.gpus.map((gpu) => gpu.evidence(nonce));
  }
}
