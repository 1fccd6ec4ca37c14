import type { AccountEvent } from "@bombyx/protocol/wire";
import type { RateLimiter } from "../accounts/rate-limit.ts";
import type { FleetChange } from "../fleet/fleet.ts";

/** What is said of a node. */
export interface NodeSubject {
  readonly id: string;
  readonly owner: string;
  readonly machine: string;
  readonly name: string;
  readonly refusal: { readonly message: string } | undefined;
}

/** A link that is back within this time was not lost as far as its owner is concerned. */
const flapMs = 20_000;

/**
 * Turns what happens to links into what an owner wants to hear: a link that comes back at once is no
 * news, and nothing is told twice.
 */
export class NodeNews {
  readonly #tell: (event: Omit<AccountEvent, "id" | "at">) => void;
  readonly #after: (ms: number, run: () => void) => () => void;
  readonly #rate: RateLimiter | undefined;
  /** What each node's owner was last told, and what will be told unless the node is back before. */
  readonly #told = new Map<string, AccountEvent["type"]>();
  readonly #pending = new Map<string, () => void>();

  /**
   * @param after runs something later; returns what cancels it.
   * @param rate news by node: each is a row that is kept, and a node can come and be refused as often as it likes.
   */
  constructor(
    tell: (event: Omit<AccountEvent, "id" | "at">) => void,
    after: (ms: number, run: () => void) => () => void,
    rate?: RateLimiter,
  ) {
    this.#tell = tell;
    this.#after = after;
    this.#rate = rate;
  }

  changed(node: NodeSubject, change: FleetChange): void {
    const told = this.#told.get(node.id);
    this.#pending.get(node.id)?.();
    this.#pending.delete(node.id);
    switch (change) {
      case "online":
        if (told !== "node.online" && told !== "node.attested") this.#say(node, "node.online");
        return;
      case "attested":
        if (told !== "node.attested") this.#say(node, "node.attested");
        return;
      case "offline":
        // One that never served is being prepared: it paired, and loads its model now.
        if (told !== "node.attested") return;
        this.#pending.set(
          node.id,
          this.#after(flapMs, () => {
            this.#pending.delete(node.id);
            this.#say(node, "node.offline");
          }),
        );
        return;
      case "quarantined":
      case "refused":
        if (told !== `node.${change}`) this.#say(node, `node.${change}`, node.refusal?.message);
        return;
      case "removed":
        this.#say(node, "node.removed");
        this.#told.delete(node.id);
    }
  }

  close(): void {
    for (const cancel of this.#pending.values()) cancel();
    this.#pending.clear();
  }

  #say({ id, owner, machine, name }: NodeSubject, type: AccountEvent["type"], message?: string): void {
    try {
      this.#rate?.take(id);
    } catch {
      // Left out; what the machine does now is in its list, and its owner has heard enough.
      return;
    }
    this.#told.set(id, type);
    this.#tell({ type, account: owner, machine: machine || null, node: id, name, message: message ?? null });
  }
}
