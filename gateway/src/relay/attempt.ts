import type { Price, Receipt } from "@bombyx/protocol/wire";
import type { FleetNode, NodeOffer } from "../fleet/fleet-node.ts";
import type { AttemptId } from "../ledger/ledger.ts";
import type { Lease } from "../scheduler/slot-queue.ts";
import type { AnswerRelay } from "./answer-relay.ts";
import type { Session } from "./session-table.ts";

/**
 * `waiting` for a slot or for its body, `running` on the node, `cancelled` by its client and waiting
 * for the node's last receipt, `settling` that receipt, then `ended`.
 */
export type AttemptState = "waiting" | "running" | "cancelled" | "settling" | "ended";

/** One request id of one session while it lasts, and a minute longer, for repetitions. */
export interface Attempt extends AttemptId {
  readonly of: Session;
  readonly node: FleetNode;
  readonly offer: NodeOffer;
  readonly lease: Lease;
  readonly price: Price;
  readonly coefficient: number;
  readonly idempotencyId: string;
  readonly maxTokens: number;
  capUnits: number;
  continuation: boolean;
  /** BLAKE2b-256 of the sealed request, hex; empty until its body was read, undefined when an earlier process read it. */
  requestHash: string | undefined;
  state: AttemptState;
  relay: AnswerRelay | undefined;
  /** Something of the answer was written to the client. */
  delivered: boolean;
  /** It was lost, since then, and its node is asked to go on; undefined once the node does. */
  lostAt?: number | undefined;
  /** When it got its slot, and when it ended or was cancelled. */
  startedAt: number;
  endedAt: number;
}

export const attemptKey = ({ session, request }: AttemptId): string => `${session}/${request}`;

/**
 * What in a receipt contradicts the attempt that it names; undefined when nothing does. Whether it
 * bills more than was reserved is the ledger's to judge.
 */
export function disagreement(receipt: Receipt, attempt: Attempt): keyof Receipt | undefined {
  const expected = {
    attestationId: attempt.of.attestationId,
    idempotencyId: attempt.idempotencyId,
    priceId: attempt.price.id,
    coefficient: attempt.coefficient,
    capUnits: attempt.capUnits,
    requestHash: attempt.requestHash,
  } as const;
  for (const field of Object.keys(expected) as (keyof typeof expected)[]) {
    if (field === "requestHash" && attempt.requestHash === undefined) continue;
    if (receipt[field] !== expected[field]) return field;
  }
  return undefined;
}
