import { BombyxError, limits } from "@bombyx/protocol/wire";
import type { Epoch } from "./epoch.ts";
import type { Session } from "./session.ts";

/** Every session of this node. */
export class Sessions {
  readonly #sessions = new Map<string, Session>();
  readonly #onEnd: (session: Session) => void;
  readonly #countMax: number;

  /** `onEnd` hears of each session whose keys were erased. */
  constructor(onEnd: (session: Session) => void, countMax: number = limits.sessionsPerNode) {
    this.#onEnd = onEnd;
    this.#countMax = countMax;
  }

  get count(): number {
    return this.#sessions.size;
  }

  /**
   * A full node lets the oldest session go that never asked for anything: a flood of handshakes makes room for
   * itself and for honest clients alike, and whoever was let go opens another session.
   * @throws BombyxError SESSION_LIMIT when the node is full of sessions that have asked.
   */
  add(session: Session, now: number): void {
    if (this.#sessions.size >= this.#countMax) this.sweep(now);
    if (this.#sessions.size >= this.#countMax) {
      const idle = this.#sessions.values().find(({ hasAsked }) => !hasAsked);
      if (idle) this.end(idle);
    }
    if (this.#sessions.size >= this.#countMax) {
      session.zero();
      throw new BombyxError(
        "SESSION_LIMIT",
        `This node holds ${this.#countMax} sessions, its most; use another.`,
      );
    }
    this.#sessions.set(session.id, session);
  }

  /** @throws BombyxError SESSION_UNKNOWN when it never was, or has ended. */
  get(id: string, now: number): Session {
    const session = this.#sessions.get(id);
    if (session?.over(now)) this.end(session);
    else if (session) return session;
    throw new BombyxError("SESSION_UNKNOWN", "This session has ended here; open another.");
  }

  end(session: Session): void {
    if (!this.#sessions.delete(session.id)) return;
    session.zero();
    this.#onEnd(session);
  }

  /** Ends the sessions that are idle or used up. */
  sweep(now: number): void {
    for (const session of this.#sessions.values()) if (session.over(now)) this.end(session);
  }

  /** Ends the sessions of an epoch, or all. */
  endAll(epoch?: Epoch): void {
    for (const session of this.#sessions.values()) {
      if (epoch === undefined || session.epoch === epoch) this.end(session);
    }
  }

  *answers() {
    for (const session of this.#sessions.values()) yield* session.answers();
  }
}
