import type { AttestationError } from "@bombyx/protocol/attestation";
import type { BombyxError, ReceiptDetail, SignedReceipt } from "@bombyx/protocol/wire";
import type { Proof } from "./trust/proof.ts";
import type { NodeVerdict } from "./trust/verifier.ts";

/** What a client tells its observer; the proof sheet of an application is made of these. */
export type ClientEvent =
  /** A session with a verified node is open. */
  | {
      readonly type: "session";
      readonly node: string;
      readonly name: string;
      readonly verdict: NodeVerdict;
      /** The verdict with the bytes that were judged. */
      readonly proof: Proof;
      readonly standby: boolean;
    }
  /** A candidate was not trustworthy; nothing was sent to it. */
  | {
      readonly type: "refused";
      readonly node: string;
      readonly name: string;
      readonly error: AttestationError;
    }
  /** A node was lost or busy; the request goes on elsewhere. */
  | {
      readonly type: "lost";
      readonly node: string;
      readonly error: BombyxError;
      /** True when part of the answer had been delivered. */
      readonly midAnswer: boolean;
    }
  /** A receipt that does not follow from what was sealed: keep it, it convicts the node that signed it. */
  | {
      readonly type: "evidence";
      readonly node: string;
      readonly error: BombyxError;
      readonly receipt: SignedReceipt | undefined;
      readonly detail: ReceiptDetail | undefined;
    };
