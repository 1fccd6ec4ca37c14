import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { verifyQuote } from "@bombyx/protocol/attestation";
import { SimulatedWorld } from "@bombyx/protocol/simulation";
import { fromHex } from "@bombyx/protocol/wire";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pccsCollateral } from "./pccs.ts";

const now = 1_800_000_000_000;
const vectors =
  process.env.BOMBYX_VECTORS ?? fileURLToPath(new URL("../../../../shared/vectors", import.meta.url));

/** What a PCCS has, by path. */
type Documents = Map<string, { body: Uint8Array | string; headers?: Record<string, string> }>;
const documents: Documents = new Map();
const asked: string[] = [];
const server = createServer((request, response) => {
  asked.push(request.url ?? "");
  const document = documents.get(request.url ?? "");
  if (!document) response.writeHead(404).end();
  else response.writeHead(200, document.headers).end(document.body);
});
let base = "";

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

/** Publishes a machine's collateral as a PCCS does. */
const publish = (
  collateral: Awaited<ReturnType<SimulatedWorld["collateral"]>>,
  fmspc: string,
  rootCrl: "hex" | "none",
) => {
  const chain = (name: string, text: string) => ({ [name]: encodeURIComponent(text) });
  documents.clear();
  if (rootCrl === "hex")
    documents.set("/sgx/certification/v4/rootcacrl", { body: collateral.root_ca_crl.toUpperCase() });
  documents.set("/sgx/certification/v4/pckcrl?ca=platform&encoding=der", {
    body: fromHex(collateral.pck_crl),
    headers: chain("SGX-PCK-CRL-Issuer-Chain", collateral.pck_crl_issuer_chain),
  });
  documents.set(`/tdx/certification/v4/tcb?fmspc=${fmspc}`, {
    body: `{"tcbInfo":${collateral.tcb_info},"signature":"${collateral.tcb_info_signature}"}`,
    headers: chain("TCB-Info-Issuer-Chain", collateral.tcb_info_issuer_chain),
  });
  documents.set("/tdx/certification/v4/qe/identity", {
    body: `{"enclaveIdentity":${collateral.qe_identity},"signature":"${collateral.qe_identity_signature}"}`,
    headers: chain("SGX-Enclave-Identity-Issuer-Chain", collateral.qe_identity_issuer_chain),
  });
};

describe("collateral from a PCCS", () => {
  it("arrives as the nine strings that the verifier takes", async () => {
    const world = await SimulatedWorld.create({ now });
    const quote = await world.quote(new Uint8Array(64));
    const given = await world.collateral(now);
    publish(given, "dead00000000", "hex");
    const collateral = await pccsCollateral(base, fetch)(quote);
    expect(collateral).toEqual(given);
    expect(await verifyQuote(quote, collateral, now, world.policy())).toMatchObject({ simulated: true });
  });

  it("takes the root's revocation list from Intel's own place when the service has none", async () => {
    const world = await SimulatedWorld.create({ now });
    const quote = await world.quote(new Uint8Array(64));
    const given = await world.collateral(now);
    publish(given, "dead00000000", "none");
    const elsewhere: string[] = [];
    const request: typeof fetch = async (input, init) => {
      const url = String(input);
      if (url.startsWith(base)) return fetch(input, init);
      elsewhere.push(url);
      return new Response(fromHex(given.root_ca_crl));
    };
    const collateral = await pccsCollateral(base, request)(quote);
    expect(elsewhere).toEqual(["https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"]);
    expect(collateral.root_ca_crl).toBe(given.root_ca_crl);
  });

  it("names the document that is missing", async () => {
    const world = await SimulatedWorld.create({ now });
    const quote = await world.quote(new Uint8Array(64));
    publish(await world.collateral(now), "dead00000000", "hex");
    documents.delete("/tdx/certification/v4/tcb?fmspc=dead00000000");
    await expect(pccsCollateral(base, fetch)(quote)).rejects.toThrow(/The TCB info.*404/);
  });

  it.skipIf(!existsSync(vectors) && process.env.CI !== "true")(
    "is asked for by the FMSPC of a real machine's quote (skipped without the vectors folder)",
    async () => {
      const quote = new Uint8Array(readFileSync(`${vectors}/tdx/cocoon_v4_90c06f.quote.bin`));
      const intel = JSON.parse(readFileSync(`${vectors}/tdx/intel_90c06f_2026-02.collateral.json`, "utf8"));
      asked.length = 0;
      publish(intel, "90c06f000000", "hex");
      expect(await pccsCollateral(base, fetch)(quote)).toEqual(intel);
      expect(asked).toContain("/tdx/certification/v4/tcb?fmspc=90c06f000000");
    },
  );
});
