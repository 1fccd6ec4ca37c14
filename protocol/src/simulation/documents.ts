import { toHex, utf8 } from "../wire/encoding.ts";

/** Where the simulated machine stands, and what the simulated Intel says of it. Hex as in the documents. */
export const fmspc = "DEAD00000000";
export const componentSvns: readonly number[] = [5, 0, 3, ...Array<number>(13).fill(0)];
export const pceSvn = 13;
export const evaluation = 18;
export const qeSigner = "cb5320c4c26e06e70978b5c44fe1453e99856d6b323cfcba56823fcc14da8fb8";

export const zeros = (bytes: number): string => "00".repeat(bytes);

/** A measurement is SHA-384 of a label, so that rows are compared as they are for real images. */
export async function measurement(text: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-384", utf8(`bombyx simulated ${text}\0`))));
}

export interface DocumentDates {
  readonly issueDate: string;
  readonly nextUpdate: string;
}

/** Dates as Intel writes them, from ms since epoch. */
export function documentDates(issuedAt: number, nextUpdateAt: number): DocumentDates {
  const iso = (at: number) => `${new Date(at).toISOString().slice(0, 19)}Z`;
  return { issueDate: iso(issuedAt), nextUpdate: iso(nextUpdateAt) };
}

/** TCB info v3 as Intel's PCS publishes it (Get TDX TCB Info). */
export function tcbInfo(dates: DocumentDates) {
  const level = (isvsvn: number, tcbStatus: string) => ({
    tcb: { isvsvn },
    tcbDate: dates.issueDate,
    tcbStatus,
  });
  const components = (svns: readonly number[]) => svns.map((svn) => ({ svn }));
  const identity = {
    mrsigner: zeros(48),
    attributes: zeros(8),
    attributesMask: "FF".repeat(8),
  };
  return {
    id: "TDX",
    version: 3,
    ...dates,
    fmspc,
    pceId: "0000",
    tcbType: 0,
    tcbEvaluationDataNumber: evaluation,
    tdxModule: identity,
    tdxModuleIdentities: [
      { id: "TDX_01", ...identity, tcbLevels: [level(7, "UpToDate"), level(2, "OutOfDate")] },
    ],
    tcbLevels: [
      {
        tcb: {
          sgxtcbcomponents: components(componentSvns),
          pcesvn: pceSvn,
          tdxtcbcomponents: components(componentSvns),
        },
        tcbDate: dates.issueDate,
        tcbStatus: "UpToDate",
      },
    ],
  };
}

/** QE identity v2 (Get TDX QE Identity). */
export function qeIdentity(dates: DocumentDates) {
  return {
    id: "TD_QE",
    version: 2,
    ...dates,
    tcbEvaluationDataNumber: evaluation,
    miscselect: zeros(4),
    miscselectMask: "FF".repeat(4),
    attributes: `11${zeros(15)}`,
    attributesMask: `FBFFFFFFFFFFFFFF${zeros(8)}`,
    mrsigner: qeSigner.toUpperCase(),
    isvprodid: 2,
    tcbLevels: [{ tcb: { isvsvn: 4 }, tcbDate: dates.issueDate, tcbStatus: "UpToDate" }],
  };
}
