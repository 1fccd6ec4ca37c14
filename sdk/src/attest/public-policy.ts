import {
  type AttestationPolicy,
  attestationPolicySchema,
  intelRoot,
  parsePemChain,
  parseQuote,
  refusal,
  type TrustedRoot,
} from "@bombyx/protocol/attestation";
import { BombyxError, fromHex, hex, toHex } from "@bombyx/protocol/wire";
import * as z from "zod";

/**
 * XFAM bits that the TDX architecture lets a TD have (TDX module ABI, XFAM_FIXED0) and those that it must have
 * (XFAM_FIXED1: x87 and SSE); little-endian.
 */
const xfamAllowed = fromHex("e7db0e0000000000");
const xfamRequired = fromHex("0300000000000000");

/** What the roles are called below a root other than Intel's: any name that ends like this. */
const roleSuffix = {
  pck: / PCK Certificate$/,
  pckCa: / PCK (Platform|Processor) CA$/,
  tcbSigner: / TCB Signing$/,
} as const;

/** What a policy file may say; what it leaves out is as it is without a policy. */
const policyFileSchema = attestationPolicySchema
  .omit({ root: true })
  .extend({ reportData: hex.b64, root: attestationPolicySchema.shape.root })
  .partial();

export interface PublicPolicy {
  readonly attestation: AttestationPolicy;
  /** 64 bytes as hex that the quote must be over; undefined when that is not judged. */
  readonly reportData: string | undefined;
  /** Whether rows were given: without them measurements are shown, not judged. */
  readonly judgesMeasurements: boolean;
}

export interface PolicyInput {
  readonly quote: Uint8Array<ArrayBuffer>;
  readonly tcbSignerChain: string;
  /** DER of a root to trust instead of Intel's. */
  readonly root?: Uint8Array<ArrayBuffer>;
  /** Parsed JSON of `--policy`: an attestation policy, whole or in part, or an SDK policy around one. */
  readonly file?: unknown;
}

/**
 * The policy of `attest verify`: Intel's root, everything judged but what only an owner of a policy can know,
 * the measurements and the report data. Collateral counts as long as Intel says that it does.
 * @throws AttestationError when the quote cannot be read; BombyxError BAD_REQUEST naming the policy's field
 */
export async function publicPolicy(input: PolicyInput): Promise<PublicPolicy> {
  const { reportData, ...given } = readFile(input.file);
  const attestation: AttestationPolicy = {
    name: "public",
    root: input.root === undefined ? intelRoot : await trustedRoot(input.root, input),
    rows: [],
    release: null,
    registry: "none",
    tcbExceptions: [],
    ownerRegisters: (given.rows?.length ?? 0) > 0 ? "zero" : "any",
    xfam: architecturalXfam(input.quote),
    gpuModes: ["none", "cc", "plain"],
    minTcbEvaluation: 0,
    minCrlNumber: 0,
    collateralMaxAgeMs: Number.MAX_SAFE_INTEGER,
    beaconMaxAgeMs: Number.MAX_SAFE_INTEGER,
    chain: "ton",
    ...given,
  };
  return { attestation, reportData, judgesMeasurements: attestation.rows.length > 0 };
}

type PolicyFields = Partial<AttestationPolicy> & { reportData?: string | undefined };

function readFile(file: unknown): PolicyFields {
  if (file === undefined) return {};
  const inner = z.object({ attestation: z.unknown() }).safeParse(file);
  const parsed = policyFileSchema.safeParse(inner.success ? inner.data.attestation : file);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = issue?.path.join(".") || "policy";
    throw new BombyxError("BAD_REQUEST", `The policy is not valid at ${field}: ${issue?.message}`, { field });
  }
  // A field that is absent keeps its default; undefined is absent.
  return Object.fromEntries(Object.entries(parsed.data).filter(([, value]) => value !== undefined));
}

function architecturalXfam(quote: Uint8Array<ArrayBuffer>): string[] {
  const { xfam } = parseQuote(quote).report;
  const bits = fromHex(xfam);
  const fits = bits.every((byte, i) => {
    const [allowed = 0, required = 0] = [xfamAllowed[i], xfamRequired[i]];
    return (byte & ~allowed) === 0 && (byte & required) === required;
  });
  return fits ? [xfam] : [];
}

/** Another root than Intel's is a simulation; its roles are named as they name themselves, by Intel's pattern. */
async function trustedRoot(der: Uint8Array<ArrayBuffer>, input: PolicyInput): Promise<TrustedRoot> {
  const sha256 = toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", der)));
  if (sha256 === intelRoot.sha256) return intelRoot;
  const chain = parsePemChain(parseQuote(input.quote).pckChain);
  const [signer] = parsePemChain(input.tcbSignerChain);
  const [pck, pckCa] = chain;
  const root = chain.at(-1);
  if (root === undefined) throw refusal("CHAIN_ROOT", "The quote carries no certificates.");
  const named = (role: keyof typeof roleSuffix, name = "") => (roleSuffix[role].test(name) ? [name] : []);
  return {
    name: root.commonName,
    sha256,
    simulated: true,
    names: {
      root: root.commonName,
      pck: named("pck", pck?.commonName),
      pckCa: named("pckCa", pckCa?.commonName),
      tcbSigner: named("tcbSigner", signer?.commonName)[0] ?? "TCB Signing",
    },
  };
}
