import type { Certificate } from "./certificate.ts";
import type { QeIdentity, TcbInfo } from "./collateral.ts";
import type { Crl } from "./crl.ts";
import { demand } from "./error.ts";
import type { Seen } from "./memory.ts";
import type { AttestationPolicy } from "./policy.ts";

/** A revocation list and the certificates that it may name. */
export interface IssuedList {
  readonly crl: Crl;
  readonly issuer: Certificate;
  readonly issued: readonly Certificate[];
}

const crlKey = (root: string, { crl }: IssuedList) => `${root}/${crl.issuer}`;

/**
 * PROTOCOL §4 step 3: no list is older than the release's floor or than one seen before. A certificate that
 * a newer list revoked stays revoked, although the list at hand is still within its own dates.
 * @throws AttestationError CRL_ROLLBACK, CERT_REVOKED
 */
export function demandCrlsNotOlder(
  lists: readonly IssuedList[],
  policy: AttestationPolicy,
  seen: Seen | undefined,
): void {
  for (const list of lists) {
    const { crl, issuer, issued } = list;
    const known = seen?.crls[crlKey(policy.root.sha256, list)];
    const floor = BigInt(known?.number ?? 0);
    demand(
      crl.number >= floor && crl.number >= BigInt(policy.minCrlNumber),
      "CRL_ROLLBACK",
      `The revocation list of "${issuer.commonName}" is number ${crl.number}; this device knows of a later one.`,
    );
    const revoked = issued.find(({ serial }) => known?.revoked.includes(serial));
    demand(
      revoked === undefined,
      "CERT_REVOKED",
      `The certificate of "${revoked?.commonName}" is on a newer revocation list than the one at hand.`,
    );
  }
}

const documents = ({ root }: AttestationPolicy, tcbInfo: TcbInfo, qeIdentity: QeIdentity) =>
  [
    ["TCB info", `${root.sha256}/tcb/${tcbInfo.fmspc}`, tcbInfo.tcbEvaluationDataNumber],
    ["identity of the quoting enclave", `${root.sha256}/qe`, qeIdentity.tcbEvaluationDataNumber],
  ] as const;

/** PROTOCOL §4 step 4. @throws AttestationError COLLATERAL_ROLLBACK */
export function demandDocumentsNotOlder(
  tcbInfo: TcbInfo,
  qeIdentity: QeIdentity,
  policy: AttestationPolicy,
  seen: Seen | undefined,
): void {
  for (const [name, key, evaluation] of documents(policy, tcbInfo, qeIdentity)) {
    const known = seen?.evaluations[key] ?? 0;
    demand(
      evaluation >= known,
      "COLLATERAL_ROLLBACK",
      `The ${name} is of evaluation ${evaluation}; this device has seen ${known}.`,
    );
  }
}

/** `seen` with what was verified now; the same object when nothing is newer. */
export function withCollateral(
  seen: Seen,
  lists: readonly IssuedList[],
  tcbInfo: TcbInfo,
  qeIdentity: QeIdentity,
  policy: AttestationPolicy,
): Seen {
  let next = seen;
  for (const list of lists) {
    const key = crlKey(policy.root.sha256, list);
    const { number, thisUpdate, revoked } = list.crl;
    const known = next.crls[key];
    if (known !== undefined && thisUpdate <= known.thisUpdate) continue;
    const entry = { number: String(number), thisUpdate, revoked: [...revoked] };
    next = { ...next, crls: { ...next.crls, [key]: entry } };
  }
  for (const [, key, evaluation] of documents(policy, tcbInfo, qeIdentity)) {
    if (evaluation <= (next.evaluations[key] ?? -1)) continue;
    next = { ...next, evaluations: { ...next.evaluations, [key]: evaluation } };
  }
  return next;
}
