import { encodeOpenBundle, type OpenBundle } from "../attestation/bundle.ts";
import {
  attestationId,
  openCommitment,
  openStatementBytes,
  statementBytes,
} from "../attestation/statement.ts";
import { sign } from "../session/signing.ts";
import { ready } from "../session/sodium.ts";
import { toBase64, toHex } from "../wire/encoding.ts";
import { type AttestedNode, type AttestedNodeOptions, draftNode } from "./attested-node.ts";

/** A node of the open tier, with its secrets: for tests of those who meet one. */
export interface OpenNode extends Omit<AttestedNode, "bundle"> {
  readonly bundle: OpenBundle;
}

export async function openNode(
  options: Omit<AttestedNodeOptions, "world" | "now" | "quote">,
): Promise<OpenNode> {
  await ready;
  const { statement, linked, ...keys } = draftNode(options);
  const bytes = statementBytes(statement);
  const commitment = await openCommitment(bytes);
  const bundle: OpenBundle = {
    v: 1,
    tee: "none",
    statement: toBase64(bytes),
    statementSignature: toHex(sign(openStatementBytes(commitment), keys.link.privateKey)),
    link: linked,
    manifests: [...options.manifests],
  };
  return {
    bundle,
    bytes: encodeOpenBundle(bundle),
    statement,
    attestationId: toHex(attestationId(commitment)),
    ...keys,
  };
}
