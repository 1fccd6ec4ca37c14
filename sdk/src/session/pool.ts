import { abortable } from "./abortable.ts";
import type { Connector } from "./connector.ts";
import type { Session } from "./session.ts";

/** A session belongs to one person: one per model and `user` (PROTOCOL §5). */
export interface Seat {
  readonly model: string;
  readonly user: string;
  /** Of the node, in 1/1000; @default the client's */
  readonly maxCoefficient?: number | undefined;
}

export interface Take {
  /** Nodes that this request has met already. */
  readonly not: readonly string[];
  readonly instead?: string | undefined;
  readonly manifest?: string | undefined;
}

interface Slot {
  readonly seat: Seat;
  main?: Session | undefined;
  opening?: Promise<Session> | undefined;
  standby?: Session | undefined;
  warming?: Promise<void> | undefined;
  /** No standby was to be had: not asked again before. */
  warmAgainAt: number;
}

const slotsKept = 256;
const warmAgainMs = 30_000;

/** The open sessions of a client: per seat one in use and a warm standby on another node. */
export class SessionPool {
  readonly #connector: Connector;
  readonly #now: () => number;
  readonly #lifetime: AbortSignal;
  readonly #slots = new Map<string, Slot>();

  constructor(connector: Connector, now: () => number, lifetime: AbortSignal) {
    this.#connector = connector;
    this.#now = now;
    this.#lifetime = lifetime;
  }

  /** The session for a seat's next request; opened when there is none that serves. */
  async take(seat: Seat, take: Take, signal: AbortSignal): Promise<Session> {
    const slot = this.#slot(seat);
    if (take.not.length > 0) return await this.#takeOther(slot, take, signal);
    if (!slot.main?.usable(this.#now())) this.#promote(slot);
    const session = slot.main ?? (await abortable(this.#open(slot), signal));
    if (session.worn(this.#now())) void this.#open(slot).catch(() => undefined);
    void this.#warm(slot);
    return session;
  }

  /** Opens session and standby ahead, while the person types. */
  async prepare(seat: Seat, signal: AbortSignal): Promise<Session> {
    const session = await this.take(seat, { not: [] }, signal);
    await abortable(this.#warm(this.#slot(seat)), signal);
    return session;
  }

  /** The session is not used again: its node is lost, or its epoch is over. */
  drop(session: Session): void {
    session.close();
    for (const slot of this.#slots.values()) {
      if (slot.main === session) slot.main = undefined;
      if (slot.standby === session) slot.standby = undefined;
    }
  }

  current(seat: Seat): Session | undefined {
    return this.#slots.get(slotKey(seat))?.main;
  }

  /** The warm session that takes over when the current one is lost. */
  standby(seat: Seat): Session | undefined {
    const standby = this.#slots.get(slotKey(seat))?.standby;
    return standby?.usable(this.#now()) ? standby : undefined;
  }

  close(): void {
    for (const { main, standby } of this.#slots.values()) {
      main?.close();
      standby?.close();
    }
    this.#slots.clear();
  }

  /** After a loss: the warm standby at once, unless the answer named another or it does not serve. */
  async #takeOther(slot: Slot, take: Take, signal: AbortSignal): Promise<Session> {
    const serves = (session: Session | undefined): session is Session =>
      session?.usable(this.#now()) === true &&
      !take.not.includes(session.node) &&
      (take.manifest === undefined || session.candidate.manifest === take.manifest);
    if (serves(slot.main)) return slot.main;
    if (!slot.standby) await abortable(slot.warming ?? Promise.resolve(), signal);
    const { standby } = slot;
    if (serves(standby) && (take.instead === undefined || take.instead === standby.node)) {
      this.#promote(slot);
      return standby;
    }
    const session = await this.#connector.open(
      {
        ...wishOf(slot.seat),
        not: take.not,
        instead: take.instead,
        ...(take.manifest !== undefined && { manifest: take.manifest }),
      },
      signal,
    );
    this.#seat(slot, session);
    return session;
  }

  #open(slot: Slot): Promise<Session> {
    slot.opening ??= this.#connector
      .open({ ...wishOf(slot.seat), not: [] }, this.#lifetime)
      .then((session) => {
        this.#seat(slot, session);
        return session;
      })
      .finally(() => {
        slot.opening = undefined;
      });
    return slot.opening;
  }

  /** A usable predecessor stays as the standby, unless that would be the same node. */
  #seat(slot: Slot, session: Session): void {
    if (this.#lifetime.aborted) session.close();
    const { main } = slot;
    slot.main = session;
    if (!slot.standby && main && main.node !== session.node && main.usable(this.#now())) slot.standby = main;
    else if (slot.standby?.node === session.node) slot.standby = undefined;
  }

  /** The standby takes over; a main that still serves (its node was only busy) becomes the standby. */
  #promote(slot: Slot): void {
    const { main, standby } = slot;
    slot.main = standby?.usable(this.#now()) ? standby : undefined;
    slot.standby = slot.main && main?.usable(this.#now()) ? main : undefined;
  }

  #warm(slot: Slot): Promise<void> {
    const { main } = slot;
    if (slot.standby && !slot.standby.usable(this.#now())) slot.standby = undefined;
    if (!main || slot.standby || this.#now() < slot.warmAgainAt) return slot.warming ?? Promise.resolve();
    slot.warming ??= this.#connector
      .open({ ...wishOf(slot.seat), not: [main.node], standbyOf: main }, this.#lifetime)
      .then(
        (session) => {
          if (slot.main?.node !== session.node) slot.standby = session;
        },
        () => {
          slot.warmAgainAt = this.#now() + warmAgainMs;
        },
      )
      .finally(() => {
        slot.warming = undefined;
      });
    return slot.warming;
  }

  #slot(seat: Seat): Slot {
    const key = slotKey(seat);
    let slot = this.#slots.get(key);
    if (!slot) {
      if (this.#slots.size >= slotsKept) this.#prune();
      slot = { seat, warmAgainAt: 0 };
      this.#slots.set(key, slot);
    }
    return slot;
  }

  #prune(): void {
    for (const [key, { main, standby }] of this.#slots) {
      if (main?.usable(this.#now()) || standby?.usable(this.#now())) continue;
      main?.close();
      standby?.close();
      this.#slots.delete(key);
    }
  }
}

const slotKey = ({ model, user, maxCoefficient }: Seat): string =>
  JSON.stringify([model, user, maxCoefficient ?? null]);

const wishOf = ({ model, maxCoefficient }: Seat) => ({
  model,
  ...(maxCoefficient !== undefined && { maxCoefficient }),
});
