import { toHex } from "../wire/encoding.ts";
import type { Certificate } from "./certificate.ts";
import { digest } from "./ecdsa.ts";
import { demand } from "./error.ts";
import type { TrustedRoot } from "./policy.ts";

/**
 * PROTOCOL §4 step 2: a chain, leaf first, to the byte-equal pinned root. `roles` are the exact
 * common names that each place may have; their number is the only length accepted.
 * @returns the chain, one certificate for each role
 * @throws AttestationError of step "chain"
 */
export async function verifyChain<const Roles extends readonly (readonly string[])[]>(
  chain: readonly Certificate[],
  roles: Roles,
  root: TrustedRoot,
  now: number,
): Promise<{ [Role in keyof Roles]: Certificate }> {
  const last = chain.at(-1);
  demand(
    last !== undefined && toHex(await digest("SHA-256", last.der)) === root.sha256,
    "CHAIN_ROOT",
    `A certificate chain does not end in ${root.name}, the only root this policy trusts.`,
  );
  demand(
    chain.length === roles.length,
    "CHAIN_LENGTH",
    `A certificate chain has ${chain.length} certificates instead of ${roles.length}.`,
  );
  for (const [i, { commonName }] of chain.entries()) {
    demand(
      roles[i]?.includes(commonName) === true,
      "CERT_ROLE",
      `The certificate of "${commonName}" stands where ${roles[i]?.join(" or ")} belongs.`,
    );
  }
  for (const [i, certificate] of chain.entries()) {
    const { commonName } = certificate;
    demand(
      certificate.notBefore <= now,
      "CERT_NOT_YET_VALID",
      `The certificate of "${commonName}" is not valid yet; is this device's clock right?`,
    );
    demand(now <= certificate.notAfter, "CERT_EXPIRED", `The certificate of "${commonName}" has expired.`);
    const issuer = chain[i + 1];
    if (i === 0) demandSigner(certificate);
    else demandCa(certificate, i - 1);
    if (issuer === undefined) continue;
    demand(
      certificate.issuer === issuer.subject,
      "CHAIN_NAME",
      `The certificate of "${commonName}" names another issuer than the one behind it.`,
    );
  }
  const signed = await Promise.all(
    chain.map((certificate, i) => {
      const issuer = chain[i + 1];
      return issuer === undefined || issuer.key.verifies(certificate.tbs, certificate.signature);
    }),
  );
  const forged = chain[signed.indexOf(false)];
  demand(
    forged === undefined,
    "CERT_SIGNATURE",
    `The certificate of "${forged?.commonName}" is not signed by its issuer.`,
  );
  return chain as { [Role in keyof Roles]: Certificate };
}

function demandSigner(certificate: Certificate): void {
  demand(
    !certificate.isCa && certificate.may("digitalSignature") && !certificate.may("keyCertSign"),
    "CERT_KEY_USAGE",
    `The key of "${certificate.commonName}" is not one that signs data and nothing else.`,
  );
}

/** `below`: CA certificates between this one and the leaf. */
function demandCa(certificate: Certificate, below: number): void {
  const { commonName, pathLength } = certificate;
  demand(certificate.isCa, "CERT_NOT_CA", `"${commonName}" issues certificates without being a CA.`);
  demand(
    certificate.may("keyCertSign"),
    "CERT_KEY_USAGE",
    `The key of "${commonName}" is not meant to sign certificates.`,
  );
  demand(
    pathLength === undefined || below <= pathLength,
    "CHAIN_PATH_LENGTH",
    `"${commonName}" allows ${pathLength} CAs below itself, and there are ${below}.`,
  );
}
