import { type Collateral, quotePlatform } from "@bombyx/protocol/attestation";
import { BombyxError, toHex } from "@bombyx/protocol/wire";
import * as z from "zod";

/** Intel publishes the root's CRL here; its own service has no route for it, a PCCS has. */
const rootCrlUrl = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";
const requestMs = 20_000;

const tcbAnswer = z.object({ tcbInfo: z.unknown(), signature: z.string() });
const identityAnswer = z.object({ enclaveIdentity: z.unknown(), signature: z.string() });

/**
 * Collateral from Intel's provisioning service or a cache of it (PCCS), API v4, in the nine strings of
 * a bundle. Nothing is verified here: the verifiers do, and a wrong answer makes a bundle they refuse.
 * @throws BombyxError NODE_FAILED, naming the document that could not be had.
 */
export function pccsCollateral(
  base: string,
  request: typeof fetch,
): (quote: Uint8Array) => Promise<Collateral> {
  const sgx = new URL("sgx/certification/v4/", base.endsWith("/") ? base : `${base}/`);
  const tdx = new URL("tdx/certification/v4/", base.endsWith("/") ? base : `${base}/`);

  async function get(what: string, url: URL | string): Promise<Response> {
    let response: Response;
    try {
      response = await request(url, { signal: AbortSignal.timeout(requestMs) });
    } catch (cause) {
      throw new BombyxError("NODE_FAILED", `${what} cannot be fetched: ${url} is out of reach (--pccs).`, {
        cause,
      });
    }
    if (response.ok) return response;
    await response.body?.cancel();
    throw new BombyxError(
      "NODE_FAILED",
      `${what} cannot be fetched: ${url} answered ${response.status} (--pccs).`,
    );
  }

  async function rootCrl(): Promise<string> {
    const what = "The root's revocation list";
    try {
      return await crlHex(await get(what, new URL("rootcacrl", sgx)));
    } catch {
      return crlHex(await get(what, rootCrlUrl));
    }
  }

  return async (quote) => {
    const { fmspc, ca } = quotePlatform(new Uint8Array(quote));
    const [rootCaCrl, crl, tcb, identity] = await Promise.all([
      rootCrl(),
      get("The PCK revocation list", new URL(`pckcrl?ca=${ca}&encoding=der`, sgx)),
      get("The TCB info", new URL(`tcb?fmspc=${fmspc}`, tdx)),
      get("The quoting enclave's identity", new URL("qe/identity", tdx)),
    ]);
    const [tcbText, identityText] = await Promise.all([tcb.text(), identity.text()]);
    const tcbInfo = tcbAnswer.parse(JSON.parse(tcbText));
    const qeIdentity = identityAnswer.parse(JSON.parse(identityText));
    return {
      pck_crl_issuer_chain: chainOf(crl, "sgx-pck-crl-issuer-chain"),
      root_ca_crl: rootCaCrl,
      pck_crl: await crlHex(crl),
      tcb_info_issuer_chain: chainOf(tcb, "tcb-info-issuer-chain", "sgx-tcb-info-issuer-chain"),
      tcb_info: signedText(tcbText, tcbInfo.tcbInfo),
      tcb_info_signature: tcbInfo.signature,
      qe_identity_issuer_chain: chainOf(identity, "sgx-enclave-identity-issuer-chain"),
      qe_identity: signedText(identityText, qeIdentity.enclaveIdentity),
      qe_identity_signature: qeIdentity.signature,
    };
  };
}

/** Issuer chains travel in headers, PEM in percent-encoding. */
function chainOf(response: Response, ...names: readonly string[]): string {
  for (const name of names) {
    const value = response.headers.get(name);
    if (value !== null) return decodeURIComponent(value);
  }
  throw new BombyxError("NODE_FAILED", `${response.url} names no issuer chain (header ${names[0]}).`);
}

/** A CRL as lower-case hex: Intel answers in DER, a PCCS in hex. */
async function crlHex(response: Response): Promise<string> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes[0] === 0x30 && bytes[1] !== undefined && bytes[1] >= 0x80) return toHex(bytes);
  const text = new TextDecoder().decode(bytes).trim().toLowerCase();
  if (/^30[0-9a-f]+$/.test(text)) return text;
  throw new BombyxError("NODE_FAILED", `${response.url} gave no revocation list.`);
}

/** Intel signed the exact text, so it is cut out of the answer, never written anew. */
function signedText(answer: string, document: unknown): string {
  const text = JSON.stringify(document);
  if (answer.includes(text)) return text;
  throw new BombyxError(
    "NODE_FAILED",
    "The answer holds its signed document in another form than Intel writes.",
  );
}
