import { BombyxError, type ReceiptDetail, type SealedRequest } from "@bombyx/protocol/wire";
import type { ClientEvent } from "../client-event.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { Payment } from "../payment/payment.ts";
import type { ReceiptFile } from "../receipt/receipt-file.ts";
import type { Seat, SessionPool } from "../session/pool.ts";
import type { Session } from "../session/session.ts";
import type { AttemptEvent } from "./attempt.ts";
import type { ReceiptJudgement } from "./audit.ts";
import type { Delivered } from "./delivered.ts";
import { cancelled } from "./loss.ts";
import { Walk } from "./walk.ts";

export interface Question {
  readonly seat: Seat;
  readonly endpoint: SealedRequest["endpoint"];
  /** OpenAI body as sealed, without a maximum: that is `maxTokens`. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly maxTokens: number;
  /** nanoTON that the whole answer may cost; @default what its maximum of tokens costs at most */
  readonly maxCostNano?: bigint | undefined;
  /** The caller sees deltas as they come; else only the whole answer, and a restart is invisible. */
  readonly streamed: boolean;
}

export type AnswerEvent =
  | AttemptEvent
  /** Only when not `streamed`: what was collected is void, the answer begins anew. */
  | { readonly type: "restart" }
  /** Last of all. */
  | { readonly type: "done"; readonly summary: AnswerSummary };

export interface AnswerSummary {
  readonly counts: Delivered["counts"];
  readonly finishReason: Exclude<ReceiptDetail["finishReason"], "cancelled">;
  readonly costNano: bigint;
  /** Billed, over all attempts. */
  readonly units: number;
  /** Who finished the answer. */
  readonly node: string;
  readonly simulated: boolean;
  readonly receipt: ReceiptJudgement["receipt"];
  /** Of the attempt that ended the answer, when its receipt came and holds. */
  readonly file: (() => ReceiptFile) | undefined;
}

export interface AnswerTools {
  readonly gateway: Gateway;
  readonly pool: SessionPool;
  readonly tickMs: 0 | 80;
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Told what each request costs; without it somebody else pays. */
  readonly payment?: Payment | undefined;
  /** 16 random bytes as hex. */
  readonly newId: () => string;
  readonly emit: (event: ClientEvent) => void;
  /** Called when a node said that its epoch is over: its verdict is void. */
  readonly forget: (session: Session) => void;
}

/**
 * One request until it is answered, over as many attempts as PROTOCOL §7 allows. Ending the generator
 * or aborting cancels at the node.
 * @throws BombyxError CANCELLED, TRUNCATED (part was delivered, the rest is lost), AttestationError, and
 * what gateway or node refused with.
 */
export async function* answer(
  question: Question,
  tools: AnswerTools,
  signal: AbortSignal,
): AsyncGenerator<AnswerEvent> {
  const walk = new Walk(question, tools);
  let accepted = false;
  for (;;) {
    const attempt = await walk.next(signal);
    const hideReasoning = walk.delivered.reasoning;
    let summary: AnswerSummary | undefined;
    try {
      for await (const event of attempt.run(signal)) {
        if (event.type === "accepted") {
          if (!accepted) yield event;
          accepted = true;
        } else if (!(hideReasoning && "reasoning" in event.delta)) {
          walk.delivered.add(event.delta);
          yield event;
        }
      }
      summary = walk.finish(attempt);
    } catch (error) {
      if (signal.aborted) throw cancelled();
      if (!(error instanceof BombyxError)) throw error;
      await walk.lose(attempt, error, signal).catch((cause: unknown) => {
        throw signal.aborted ? cancelled() : cause;
      });
    } finally {
      attempt.terms.session.end(tools.now());
      tools.payment?.ended(attempt.name);
    }
    summary ??= walk.exhausted(attempt);
    if (summary) return yield { type: "done", summary };
    if (walk.takeRestart()) yield { type: "restart" };
  }
}
