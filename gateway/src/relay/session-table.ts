import { BombyxError, limits } from "@bombyx/protocol/wire";
import type { KeptSession } from "./session-file.ts";

/** What the gateway knows of a session: who opened it, and where. Its keys are the two ends' own. */
export interface Session extends KeptSession {
  /** An earlier process opened it. */
  readonly earlier: boolean;
  /** Attempts under way; a session is idle at 0. */
  running: number;
  usedAt: number;
}

/** Where sessions of an earlier process are. */
export interface EarlierSessions {
  get(id: string): KeptSession | undefined;
  /** It ended here. */
  delete(id: string): void;
}

const none: EarlierSessions = { get: () => undefined, delete: () => {} };

/**
 * Sessions of all nodes, least recently used first. An idle one costs its row here and nothing else; one of an
 * earlier process is taken up again when its client comes with it.
 */
export class SessionTable {
  readonly #now: () => number;
  readonly #earlier: EarlierSessions;
  readonly #sessions = new Map<string, Session>();
  readonly #byOwnerAndNode = new Map<string, Set<Session>>();
  readonly #perNode = new Map<string, number>();

  constructor(now: () => number, earlier: EarlierSessions = none) {
    this.#now = now;
    this.#earlier = earlier;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /**
   * Makes room for one more session of this account on this node: the oldest idle one goes.
   * @throws BombyxError SESSION_LIMIT when none is idle, or the node has as many as it takes.
   */
  makeRoom(account: string, node: string): void {
    this.sweep();
    const own = this.#byOwnerAndNode.get(`${account}\n${node}`);
    if (own && own.size >= limits.sessionsPerAccountAndNode) {
      const idle = [...own].filter(({ running }) => running === 0).sort((a, b) => a.usedAt - b.usedAt)[0];
      if (!idle) {
        throw new BombyxError(
          "SESSION_LIMIT",
          `An account has at most ${limits.sessionsPerAccountAndNode} sessions on a node and all of yours are answering; use one of them or another node.`,
          { retryAfterMs: 1_000 },
        );
      }
      this.#remove(idle);
    }
    if ((this.#perNode.get(node) ?? 0) >= limits.sessionsPerNode) {
      throw new BombyxError("SESSION_LIMIT", "This node holds as many sessions as it can; use another.", {
        retryAfterMs: 60_000,
      });
    }
  }

  /** @throws BombyxError SESSION_LIMIT, or NODE_FAILED: a node that names another's session would take it over. */
  add(session: KeptSession, earlier = false): Session {
    this.makeRoom(session.account, session.node);
    if (this.#sessions.has(session.id)) {
      throw new BombyxError("NODE_FAILED", "The node named a session that is another's; use another node.");
    }
    const row: Session = { ...session, earlier, running: 0, usedAt: this.#now() };
    this.#sessions.set(row.id, row);
    const key = `${row.account}\n${row.node}`;
    const own = this.#byOwnerAndNode.get(key);
    if (own) own.add(row);
    else this.#byOwnerAndNode.set(key, new Set([row]));
    this.#perNode.set(row.node, (this.#perNode.get(row.node) ?? 0) + 1);
    return row;
  }

  /**
   * The session, touched.
   * @throws BombyxError SESSION_UNKNOWN (never opened, idle too long, its epoch over), FORBIDDEN (another account
   * opened it) or SESSION_LIMIT (of an earlier process, and there is no room).
   */
  use(id: string, account: string): Session {
    const known = this.#sessions.get(id);
    const kept = known ?? this.#earlier.get(id);
    if (!kept || (known && this.#expired(known))) {
      throw new BombyxError("SESSION_UNKNOWN", "This session has ended or was never opened; open another.");
    }
    if (kept.account !== account) {
      throw new BombyxError("FORBIDDEN", "A session serves only the account that opened it.");
    }
    const session = known ?? this.add(kept, true);
    session.usedAt = this.#now();
    this.#sessions.delete(id);
    this.#sessions.set(id, session);
    return session;
  }

  /** Forgets sessions that have been idle for too long. */
  sweep(): void {
    for (const session of this.#sessions.values()) {
      if (this.#now() - session.usedAt < limits.sessionIdleMs) return;
      if (this.#expired(session)) this.#remove(session);
    }
  }

  #expired(session: Session): boolean {
    return session.running === 0 && this.#now() - session.usedAt >= limits.sessionIdleMs;
  }

  #remove(session: Session): void {
    this.#sessions.delete(session.id);
    this.#earlier.delete(session.id);
    const key = `${session.account}\n${session.node}`;
    const own = this.#byOwnerAndNode.get(key);
    own?.delete(session);
    if (own?.size === 0) this.#byOwnerAndNode.delete(key);
    const left = (this.#perNode.get(session.node) ?? 1) - 1;
    if (left > 0) this.#perNode.set(session.node, left);
    else this.#perNode.delete(session.node);
  }
}
