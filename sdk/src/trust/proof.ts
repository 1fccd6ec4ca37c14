import type { NodeVerdict } from "./verifier.ts";

/** What this side verified of a node, with the bytes it judged, so that a person can look or pass them on. */
export interface Proof {
  readonly verdict: NodeVerdict;
  /** The exact bytes of the bundle: canonical JSON, as `attest verify` takes it. */
  readonly bundle: Uint8Array;
  /** Hash of the model manifest that answers. */
  readonly manifest: string;
  /** The node's name as the gateway gives it; nobody attests it. */
  readonly name: string;
  /** Tells owners apart, as the gateway names them; nobody attests it. */
  readonly owner: string;
  /** ms since epoch of this device, when the bundle was judged. */
  readonly verifiedAt: number;
  /** ms since epoch, when the session was opened: its handshake proved that the attested key is alive. */
  readonly openedAt: number;
}
