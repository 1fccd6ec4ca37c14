import { BombyxError, type ErrorBody, limits, linkKind, toHex } from "@bombyx/protocol/wire";
import type { Fleet } from "../fleet/fleet.ts";
import type { LinkStream } from "../fleet/node-link.ts";
import type { SessionFile } from "./session-file.ts";
import type { SessionTable } from "./session-table.ts";

const answerWithinMs = 10_000;
const sessionIdBytes = 32;
const message2Bytes = 48;

export interface HandshakesOptions {
  readonly fleet: Fleet;
  readonly sessions: SessionTable;
  readonly kept: Pick<SessionFile, "put">;
  readonly now: () => number;
}

/** Carries Noise's two messages; what they agree on is not the gateway's to know. */
export class Handshakes {
  readonly #options: HandshakesOptions;

  constructor(options: HandshakesOptions) {
    this.#options = options;
  }

  /**
   * Opens a session of `account` on `node`, which the next process knows, too.
   * @throws BombyxError NODE_UNKNOWN, NODE_OFFLINE, DRAINING, SESSION_LIMIT, RATE_LIMITED, or the node's refusal.
   */
  async open(
    account: string,
    node: string,
    message: Buffer,
  ): Promise<{ session: string; message2: Uint8Array }> {
    const { fleet, sessions, kept, now } = this.#options;
    const target = fleet.get(node);
    if (!target)
      throw new BombyxError("NODE_UNKNOWN", "No node of this id is paired here; ask for candidates.");
    if (!target.link?.open || !target.attested) {
      throw new BombyxError("NODE_OFFLINE", "The node is not connected; ask for candidates again.");
    }
    if (target.draining) {
      throw new BombyxError("DRAINING", "The node takes no new sessions; ask for candidates again.");
    }
    sessions.makeRoom(account, node);
    if (!target.handshakes.take(now())) {
      throw new BombyxError(
        "RATE_LIMITED",
        `A node answers at most ${limits.handshakesPerSecondPerLink} handshakes a second; use another.`,
        { retryAfterMs: 1_000 },
      );
    }
    const attestationId = toHex(message.subarray(1, 33));
    const stream = new HandshakeStream();
    const id = target.link.start(linkKind.handshake, 0, message, stream);
    const timeout = setTimeout(() => {
      target.link?.take(id);
      stream.failed({
        code: "NODE_FAILED",
        message: `The node did not answer the handshake in ${answerWithinMs} ms.`,
      });
    }, answerWithinMs);
    try {
      const answer = await stream.answer;
      const session = toHex(answer.subarray(0, sessionIdBytes));
      const { id } = sessions.add({ id: session, account, node, attestationId });
      await kept.put({ id, account, node, attestationId });
      return { session, message2: answer.subarray(sessionIdBytes) };
    } finally {
      clearTimeout(timeout);
    }
  }
}

class HandshakeStream implements LinkStream {
  readonly #answer = Promise.withResolvers<Buffer>();

  get answer(): Promise<Buffer> {
    return this.#answer.promise;
  }

  handshakeDone(payload: Buffer): void {
    if (payload.length === sessionIdBytes + message2Bytes) this.#answer.resolve(payload);
    else
      this.failed({
        code: "NODE_FAILED",
        message: "The node's answer to the handshake has the wrong length.",
      });
  }

  failed(error: ErrorBody): void {
    this.#answer.reject(new BombyxError(error.code, error.message, error));
  }

  closed(): void {
    this.failed({ code: "NODE_OFFLINE", message: "The node went away during the handshake; use another." });
  }

  frame(): void {
    this.failed({ code: "NODE_FAILED", message: "The node answered a handshake with a frame." });
  }

  receipt(): void {
    this.failed({ code: "NODE_FAILED", message: "The node answered a handshake with a receipt." });
  }
}
