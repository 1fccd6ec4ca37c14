import * as z from "zod";
import { fromHex, utf8 } from "../wire/encoding.ts";
import type { Collateral } from "./bundle.ts";
import type { Certificate } from "./certificate.ts";
import { type AttestationReason, demand, refusal } from "./error.ts";
import { inOrder } from "./in-order.ts";
import type { AttestationPolicy } from "./policy.ts";

/** Intel writes these documents in upper-case hex; they are compared in lower case. */
const hexBytes = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^[0-9A-Fa-f]{${bytes * 2}}$`))
    .transform((text) => text.toLowerCase());
const instant = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  .transform((text, context) => {
    const at = Date.parse(text);
    if (Number.isNaN(at)) context.addIssue("not a date");
    return at;
  });
const svn = z.int().min(0).max(0xffff);
const components = z.array(z.object({ svn: z.int().min(0).max(0xff) })).length(16);
const advisoryIDs = z.array(z.string()).default([]);
const isvLevel = z.object({ tcb: z.object({ isvsvn: svn }), tcbStatus: z.string(), advisoryIDs });
const moduleIdentity = { mrsigner: hexBytes(48), attributes: hexBytes(8), attributesMask: hexBytes(8) };
const document = {
  issueDate: instant,
  nextUpdate: instant,
  tcbEvaluationDataNumber: z.int().nonnegative(),
};

/** TCB info v3 for TDX, of Intel's Provisioning Certification Service. Fields it may add are ignored. */
const tcbInfoSchema = z.object({
  id: z.literal("TDX"),
  version: z.literal(3),
  ...document,
  fmspc: hexBytes(6),
  pceId: hexBytes(2),
  tcbType: z.literal(0),
  tdxModule: z.object(moduleIdentity),
  /** Absent in TCB info of machines that know TDX 1.0 alone. */
  tdxModuleIdentities: z
    .array(z.object({ id: z.string(), ...moduleIdentity, tcbLevels: z.array(isvLevel) }))
    .default([]),
  tcbLevels: z.array(
    z.object({
      tcb: z.object({ sgxtcbcomponents: components, pcesvn: svn, tdxtcbcomponents: components }),
      tcbStatus: z.string(),
      advisoryIDs,
    }),
  ),
});
export type TcbInfo = z.infer<typeof tcbInfoSchema>;

/** Enclave identity v2 of the TD quoting enclave. */
const qeIdentitySchema = z.object({
  id: z.literal("TD_QE"),
  version: z.literal(2),
  ...document,
  miscselect: hexBytes(4),
  miscselectMask: hexBytes(4),
  attributes: hexBytes(16),
  attributesMask: hexBytes(16),
  mrsigner: hexBytes(32),
  isvprodid: svn,
  tcbLevels: z.array(isvLevel),
});
export type QeIdentity = z.infer<typeof qeIdentitySchema>;

function parse<T>(schema: z.ZodType<T>, text: string, reason: AttestationReason, name: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw refusal(reason, `The ${name} is not the document that this verifier reads.`, cause);
  }
}

/** Signatures cover the exact string as Intel sent it, never a re-encoding. */
async function demandSigned(
  text: string,
  signature: string,
  signer: Certificate,
  reason: AttestationReason,
  name: string,
): Promise<void> {
  const isHex = /^[0-9a-f]{128}$/.test(signature);
  demand(
    isHex && (await signer.key.verifies(utf8(text), fromHex(signature))),
    reason,
    `The ${name} is not signed by "${signer.commonName}".`,
  );
}

function demandCurrent(
  name: string,
  document: { issueDate: number; nextUpdate: number; tcbEvaluationDataNumber: number },
  policy: AttestationPolicy,
  now: number,
): void {
  const { issueDate, nextUpdate, tcbEvaluationDataNumber } = document;
  demand(
    issueDate <= now,
    "COLLATERAL_NOT_YET_VALID",
    `The ${name} is dated in the future; is this device's clock right?`,
  );
  demand(
    now < nextUpdate,
    "COLLATERAL_EXPIRED",
    `The ${name} is out of date; the node must fetch a new one.`,
  );
  demand(
    now - issueDate <= policy.collateralMaxAgeMs,
    "COLLATERAL_AGE",
    `The ${name} is ${Math.floor((now - issueDate) / 86_400_000)} days old, more than this policy allows.`,
  );
  demand(
    tcbEvaluationDataNumber >= policy.minTcbEvaluation,
    "COLLATERAL_EVALUATION",
    `The ${name} is of evaluation ${tcbEvaluationDataNumber}; this policy wants ${policy.minTcbEvaluation} or later.`,
  );
}

/**
 * PROTOCOL §4 step 4. `signer` has been verified as the TCB signer.
 * @throws AttestationError of step "collateral"
 */
export async function verifyDocuments(
  collateral: Collateral,
  signers: { readonly tcbInfo: Certificate; readonly qeIdentity: Certificate },
  policy: AttestationPolicy,
  now: number,
): Promise<{ tcbInfo: TcbInfo; qeIdentity: QeIdentity }> {
  const { tcb_info, tcb_info_signature, qe_identity, qe_identity_signature } = collateral;
  const qeName = "identity of the quoting enclave";
  await inOrder(
    demandSigned(tcb_info, tcb_info_signature, signers.tcbInfo, "TCB_INFO_SIGNATURE", "TCB info"),
    demandSigned(qe_identity, qe_identity_signature, signers.qeIdentity, "QE_IDENTITY_SIGNATURE", qeName),
  );
  const tcbInfo = parse(tcbInfoSchema, tcb_info, "TCB_INFO_FORMAT", "TCB info");
  const qeIdentity = parse(qeIdentitySchema, qe_identity, "QE_IDENTITY_FORMAT", qeName);
  demandCurrent("TCB info", tcbInfo, policy, now);
  demandCurrent(qeName, qeIdentity, policy, now);
  return { tcbInfo, qeIdentity };
}
