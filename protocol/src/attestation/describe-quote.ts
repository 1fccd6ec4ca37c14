import { toHex } from "../wire/encoding.ts";
import { parsePemChain } from "./certificate.ts";
import { digest } from "./ecdsa.ts";
import { platformId, readPlatform } from "./platform.ts";
import { parseQuote } from "./quote.ts";

/** A quote as it stands, field by field; hex is lower case. Nothing of it is verified. */
export interface QuoteDescription {
  readonly version: 4 | 5;
  /** v5 names it: 2 is a TD 1.0 report, 3 a TD 1.5 report. */
  readonly bodyType: 2 | 3;
  readonly bytes: number;
  /** Bytes behind the signature data, which nobody reads. */
  readonly paddingBytes: number;
  readonly teeTcbSvn: string;
  readonly mrSignerSeam: string;
  readonly seamAttributes: string;
  readonly tdAttributes: string;
  readonly xfam: string;
  readonly mrtd: string;
  readonly mrConfigId: string;
  readonly mrOwner: string;
  readonly mrOwnerConfig: string;
  readonly rtmr0: string;
  readonly rtmr1: string;
  readonly rtmr2: string;
  readonly rtmr3: string;
  readonly mrServiceTd: string | undefined;
  readonly reportData: string;
  readonly quotingEnclave: {
    readonly mrSigner: string;
    readonly isvProdId: number;
    readonly isvSvn: number;
    readonly miscSelect: string;
    readonly attributes: string;
  };
  /** Leaf first. */
  readonly certificates: readonly {
    readonly subject: string;
    readonly serial: string;
    /** ISO 8601. */
    readonly notBefore: string;
    readonly notAfter: string;
    /** Of the DER. */
    readonly sha256: string;
  }[];
  readonly platform: {
    readonly fmspc: string;
    readonly pceId: string;
    readonly pceSvn: number;
    readonly svns: readonly number[];
    /** How the registry names the machine. */
    readonly platformId: string;
  };
}

/** @throws AttestationError of steps "parse", "chain" or PLATFORM_FORMAT when it is no TDX quote that can be read. */
export async function describeQuote(bytes: Uint8Array): Promise<QuoteDescription> {
  const quote = parseQuote(new Uint8Array(bytes));
  const { report, qeReport } = quote;
  const [rtmr0, rtmr1, rtmr2, rtmr3] = report.rtmrs;
  const chain = parsePemChain(quote.pckChain);
  const certificates = await Promise.all(
    chain.map(async ({ commonName, serial, notBefore, notAfter, der }) => ({
      subject: commonName,
      serial,
      notBefore: new Date(notBefore).toISOString(),
      notAfter: new Date(notAfter).toISOString(),
      sha256: toHex(await digest("SHA-256", der)),
    })),
  );
  const platform = readPlatform(chain[0]);
  return {
    version: quote.version,
    bodyType: report.mrServiceTd === undefined ? 2 : 3,
    bytes: bytes.length,
    paddingBytes: quote.paddingBytes,
    teeTcbSvn: toHex(report.teeTcbSvn),
    mrSignerSeam: report.mrSignerSeam,
    seamAttributes: toHex(report.seamAttributes),
    tdAttributes: report.tdAttributes,
    xfam: report.xfam,
    mrtd: report.mrTd,
    mrConfigId: report.mrConfigId,
    mrOwner: report.mrOwner,
    mrOwnerConfig: report.mrOwnerConfig,
    rtmr0,
    rtmr1,
    rtmr2,
    rtmr3,
    mrServiceTd: report.mrServiceTd,
    reportData: toHex(report.reportData),
    quotingEnclave: {
      mrSigner: qeReport.mrSigner,
      isvProdId: qeReport.isvProdId,
      isvSvn: qeReport.isvSvn,
      miscSelect: toHex(qeReport.miscSelect),
      attributes: toHex(qeReport.attributes),
    },
    certificates,
    platform: {
      fmspc: platform.fmspc,
      pceId: toHex(platform.pceId),
      pceSvn: platform.pceSvn,
      svns: platform.svns,
      platformId: await platformId(platform),
    },
  };
}
