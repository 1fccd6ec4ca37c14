import { fromHex, toHex } from "../wire/encoding.ts";
import type { QeIdentity, TcbInfo } from "./collateral.ts";
import { type AttestationReason, demand, refusal } from "./error.ts";
import type { Platform } from "./platform.ts";
import type { AttestationPolicy } from "./policy.ts";
import type { QeReport, TdReport } from "./quote.ts";

/** Statuses that a policy may except; Revoked and unknown words never are. */
const exceptable = [
  "SWHardeningNeeded",
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
  "OutOfDate",
  "OutOfDateConfigurationNeeded",
];

function demandStatus(
  status: string,
  policy: AttestationPolicy,
  now: number,
  reason: AttestationReason,
  name: string,
): void {
  const excepted =
    exceptable.includes(status) &&
    policy.tcbExceptions.some((exception) => exception.status === status && now < exception.until);
  demand(
    status === "UpToDate" || excepted,
    reason,
    `Intel's verdict on the ${name} is ${status}; this policy accepts only UpToDate.`,
  );
}

/** Whether `value` equals `expected` (hex) in the bits of `mask` (hex); all three have one length. */
function maskedEqual(value: Uint8Array, expected: string, mask: string): boolean {
  const want = fromHex(expected);
  const bits = fromHex(mask);
  return value.every((byte, i) => (byte & (bits[i] ?? 0)) === ((want[i] ?? 0) & (bits[i] ?? 0)));
}

/** PROTOCOL §4 step 5: the quoting enclave is Intel's, not in debug mode, and current. */
export function demandQuotingEnclave(
  report: QeReport,
  identity: QeIdentity,
  policy: AttestationPolicy,
  now: number,
): void {
  demand(((report.attributes[0] ?? 0) & 2) === 0, "QE_DEBUG", "The quoting enclave runs in debug mode.");
  demand(
    report.mrSigner === identity.mrsigner &&
      report.isvProdId === identity.isvprodid &&
      maskedEqual(report.miscSelect, identity.miscselect, identity.miscselectMask) &&
      maskedEqual(report.attributes, identity.attributes, identity.attributesMask),
    "QE_IDENTITY",
    "The quoting enclave is not the one that Intel names.",
  );
  const level = identity.tcbLevels.find(({ tcb }) => report.isvSvn >= tcb.isvsvn);
  demandStatus(level?.tcbStatus ?? "unknown", policy, now, "QE_TCB_STATUS", "quoting enclave");
}

/** PROTOCOL §4 step 6: the TDX module, by the major version that tee_tcb_svn[1] names. */
export function demandModule(
  report: TdReport,
  tcbInfo: TcbInfo,
  policy: AttestationPolicy,
  now: number,
): void {
  const [svn = 0, version = 0] = report.teeTcbSvn;
  const id = `TDX_${toHex(Uint8Array.of(version)).toUpperCase()}`;
  const identity = tcbInfo.tdxModuleIdentities.find((candidate) => candidate.id === id);
  if (identity === undefined && version > 0)
    throw refusal("MODULE_UNKNOWN", `Intel's TCB info knows no TDX module ${id}.`);
  const { mrsigner, attributes, attributesMask } = identity ?? tcbInfo.tdxModule;
  demand(report.mrSignerSeam === mrsigner, "MODULE_SIGNER", "The TDX module is not signed by Intel.");
  demand(
    maskedEqual(report.seamAttributes, attributes, attributesMask),
    "MODULE_ATTRIBUTES",
    "The TDX module has attributes that Intel's TCB info does not allow.",
  );
  if (identity === undefined) return; // version 0: its SVN is part of the TCB level
  const level = identity.tcbLevels.find(({ tcb }) => svn >= tcb.isvsvn);
  demandStatus(level?.tcbStatus ?? "unknown", policy, now, "MODULE_TCB_STATUS", "TDX module");
}

/** PROTOCOL §4 step 6: the machine is of the TCB info's kind, and its level is accepted. Returns the level. */
export function demandTcbLevel(
  report: TdReport,
  platform: Platform,
  tcbInfo: TcbInfo,
  policy: AttestationPolicy,
  now: number,
): TcbInfo["tcbLevels"][number] {
  const level = tcbInfo.tcbLevels.find(
    ({ tcb }) =>
      tcb.sgxtcbcomponents.every(({ svn }, i) => (platform.svns[i] ?? -1) >= svn) &&
      platform.pceSvn >= tcb.pcesvn &&
      tcb.tdxtcbcomponents.every(
        ({ svn }, i) => isModuleSvn(report, i) || (report.teeTcbSvn[i] ?? -1) >= svn,
      ),
  );
  if (level === undefined)
    throw refusal("TCB_NO_MATCH", "The machine's firmware is older than every level that Intel lists.");
  demandStatus(level.tcbStatus, policy, now, "TCB_STATUS", "machine's firmware");
  return level;
}

/** From module version 1 on, the first two components are the module's own and judged by its identity. */
const isModuleSvn = (report: TdReport, index: number) => index < 2 && (report.teeTcbSvn[1] ?? 0) > 0;

export function demandPlatform(platform: Platform, tcbInfo: TcbInfo): void {
  demand(platform.fmspc === tcbInfo.fmspc, "FMSPC", "The TCB info is for another kind of machine.");
  demand(
    toHex(platform.pceId) === tcbInfo.pceId,
    "PCEID",
    "The TCB info is for another provisioning enclave.",
  );
}
