import { concat, fromHex } from "../wire/encoding.ts";
import type { SigningKey } from "./signing-key.ts";

/** What a simulated TD reports; hex as in a real quote. Defaults are what a healthy TD has. */
export interface QuoteBody {
  readonly teeTcbSvn: string;
  readonly mrSeam: string;
  readonly mrSignerSeam: string;
  readonly seamAttributes: string;
  readonly tdAttributes: string;
  readonly xfam: string;
  readonly mrTd: string;
  readonly mrConfigId: string;
  readonly mrOwner: string;
  readonly mrOwnerConfig: string;
  readonly rtmr0: string;
  readonly rtmr1: string;
  readonly rtmr2: string;
  readonly rtmr3: string;
  /** TD 1.5 only: 48 bytes. */
  readonly mrServiceTd: string;
}

export interface QuoteHeader {
  /** 4, or 5 with a TD 1.0 (body type 2) or TD 1.5 (body type 3) report. */
  readonly version: 4 | 5;
  readonly bodyType: 2 | 3;
  readonly attestationKeyType: number;
  readonly teeType: number;
  /** 16 bytes of hex. */
  readonly qeVendorId: string;
}

export interface QeReport {
  readonly miscSelect: string;
  readonly attributes: string;
  readonly mrSigner: string;
  readonly isvProdId: number;
  readonly isvSvn: number;
}

const u16 = (value: number) => Uint8Array.of(value & 0xff, value >> 8);
const u32 = (value: number) => concat(u16(value & 0xffff), u16(value >>> 16));
const zeros = (size: number) => new Uint8Array(size);

export interface QuoteParts {
  readonly header: QuoteHeader;
  readonly body: QuoteBody;
  readonly qe: QeReport;
  /** 64 bytes. */
  readonly reportData: Uint8Array;
  readonly pckChainPem: Uint8Array;
  /** Bytes behind the signature data, which real quotes carry. */
  readonly tail: Uint8Array;
}

/** A quote, v4 or v5 (Intel TDX DCAP Quoting Library API, appendix A.3 and A.4). */
export async function mintQuote(
  parts: QuoteParts,
  pck: SigningKey,
  attestationKey: SigningKey,
): Promise<Uint8Array<ArrayBuffer>> {
  const { header, body, qe } = parts;
  const report = concat(
    ...[
      body.teeTcbSvn,
      body.mrSeam,
      body.mrSignerSeam,
      body.seamAttributes,
      body.tdAttributes,
      body.xfam,
      body.mrTd,
      body.mrConfigId,
      body.mrOwner,
      body.mrOwnerConfig,
      body.rtmr0,
      body.rtmr1,
      body.rtmr2,
      body.rtmr3,
    ].map(fromHex),
    parts.reportData,
    ...(header.bodyType === 3 ? [fromHex(body.teeTcbSvn), fromHex(body.mrServiceTd)] : []),
  );
  const signedPart = concat(
    u16(header.version),
    u16(header.attestationKeyType),
    u32(header.teeType),
    zeros(4),
    fromHex(header.qeVendorId),
    zeros(20),
    ...(header.version === 5 ? [u16(header.bodyType), u32(report.length)] : []),
    report,
  );

  const authentication = zeros(32);
  const binding = await crypto.subtle.digest("SHA-256", concat(attestationKey.point, authentication));
  const qeReport = concat(
    zeros(16),
    fromHex(qe.miscSelect),
    zeros(28),
    fromHex(qe.attributes),
    zeros(64),
    fromHex(qe.mrSigner),
    zeros(96),
    u16(qe.isvProdId),
    u16(qe.isvSvn),
    zeros(60),
    new Uint8Array(binding),
    zeros(32),
  );
  const certification = concat(
    qeReport,
    await pck.sign(qeReport),
    u16(authentication.length),
    authentication,
    u16(5),
    u32(parts.pckChainPem.length),
    parts.pckChainPem,
  );
  const signature = concat(
    await attestationKey.sign(signedPart),
    attestationKey.point,
    u16(6),
    u32(certification.length),
    certification,
  );
  return concat(signedPart, u32(signature.length), signature, parts.tail);
}
