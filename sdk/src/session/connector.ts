import { AttestationError } from "@bombyx/protocol/attestation";
import { priceId } from "@bombyx/protocol/receipt";
import { initiateHandshake } from "@bombyx/protocol/session";
import { BombyxError, type Candidate, type Candidates, fromHex } from "@bombyx/protocol/wire";
import type { ClientEvent } from "../client-event.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { NodeVerdict, Verified, Verifier } from "../trust/verifier.ts";
import { standbyOrder, weightedOrder } from "./choose.ts";
import { Session } from "./session.ts";

export interface ConnectorOptions {
  readonly gateway: Gateway;
  readonly verifier: Verifier;
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly minOwners: number;
  /** In 1/1000; dearer nodes are passed over. */
  readonly maxCoefficient: number;
  readonly emit: (event: ClientEvent) => void;
}

/** What the caller wants of the node. */
export interface Wish {
  readonly model: string;
  /** In 1/1000; the client's own limit counts when it is lower. */
  readonly maxCoefficient?: number;
  /** Nodes just lost or found busy. */
  readonly not: readonly string[];
  /** The node that a busy one named; it is tried first, and verified like any other. */
  readonly instead?: string | undefined;
  /** The standby differs from this one in node and, where possible, in owner and platform. */
  readonly standbyOf?: Session;
  /** A continuation keeps the manifest: another model must not finish the sentence. */
  readonly manifest?: string;
}

/** Candidates → appraisal → handshake. Nothing but a handshake goes to a node that did not verify. */
export class Connector {
  readonly #options: ConnectorOptions;

  constructor(options: ConnectorOptions) {
    this.#options = options;
  }

  /**
   * Opens a session with a verified node, chosen at random by the scheduler's weights.
   * @throws AttestationError when candidates exist and none is trustworthy; BombyxError NO_CANDIDATE,
   * MODEL_UNKNOWN and what the gateway refuses with.
   */
  async open(wish: Wish, signal: AbortSignal): Promise<Session> {
    try {
      return await this.#openOnce(wish, signal);
    } catch (error) {
      // The node began a new epoch after the gateway had named the old one.
      if (error instanceof BombyxError && error.code === "REATTEST")
        return await this.#openOnce(wish, signal);
      throw error;
    }
  }

  async #openOnce(wish: Wish, signal: AbortSignal): Promise<Session> {
    const { gateway, random, emit } = this.#options;
    const offered = await gateway.candidates(wish.model, wish.not, signal);
    assertPrice(offered);
    const offer = this.#affordable(offered, wish.maxCoefficient);
    let refused: unknown;
    let unreached: unknown;
    const queue = await this.#admitted(order(offer, wish, random), wish, signal);
    const samePlatform = new Set<Candidate>();
    for (const candidate of queue) {
      try {
        const verified = await this.#options.verifier.verify(candidate, wish.model, signal);
        const { verdict } = verified;
        if (onePlatform(verdict, wish.standbyOf?.verdict) && !samePlatform.has(candidate)) {
          samePlatform.add(candidate);
          queue.push(candidate);
          continue;
        }
        const session = await this.#handshake(candidate, verified, offer, signal);
        emit({
          type: "session",
          node: candidate.node,
          name: candidate.name,
          verdict,
          proof: session.proof,
          standby: wish.standbyOf !== undefined,
        });
        return session;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof AttestationError) {
          refused ??= error;
          emit({ type: "refused", node: candidate.node, name: candidate.name, error });
        } else if (error instanceof BombyxError && error.code !== "GATEWAY_UNREACHABLE") unreached ??= error;
        else throw error;
      }
    }
    throw (
      refused ??
      unreached ??
      new BombyxError("NO_CANDIDATE", `No node serves ${wish.model} now; try again in a moment.`, {
        retryAfterMs: 1_000,
      })
    );
  }

  /** @throws BombyxError NO_CANDIDATE when there are nodes, and each asks more than the caller pays. */
  #affordable(offer: Candidates, asked = Number.POSITIVE_INFINITY): Candidates {
    const maxCoefficient = Math.min(asked, this.#options.maxCoefficient);
    const candidates = offer.candidates.filter(({ coefficient }) => coefficient <= maxCoefficient);
    if (candidates.length === 0 && offer.candidates.length > 0) {
      const least = Math.min(...offer.candidates.map(({ coefficient }) => coefficient));
      throw new BombyxError(
        "NO_CANDIDATE",
        `Every node of ${offer.model} asks ${least / 1_000} times the gateway's price or more; maxCoefficient allows ${maxCoefficient / 1_000}.`,
        { field: asked < this.#options.maxCoefficient ? "max_coefficient" : "maxCoefficient" },
      );
    }
    return { ...offer, candidates };
  }

  /** Applies the policy's `minOwners` to those that verify; with 1 there is nothing to count ahead. */
  async #admitted(ordered: Candidate[], wish: Wish, signal: AbortSignal): Promise<Candidate[]> {
    const { minOwners, verifier } = this.#options;
    if (minOwners <= 1) return ordered;
    const judged = await Promise.allSettled(
      ordered.map((candidate) => verifier.verify(candidate, wish.model, signal)),
    );
    const verified = ordered.filter((_, index) => judged[index]?.status === "fulfilled");
    const owners = new Set(verified.map(({ owner }) => owner));
    if (wish.standbyOf) owners.add(wish.standbyOf.candidate.owner);
    if (verified.length > 0 && owners.size < minOwners) {
      throw new BombyxError(
        "NO_CANDIDATE",
        `The policy wants verified nodes of ${minOwners} owners; ${wish.model} has ${owners.size}.`,
      );
    }
    return ordered;
  }

  async #handshake(
    candidate: Candidate,
    verified: Verified,
    offer: Candidates,
    signal: AbortSignal,
  ): Promise<Session> {
    const { gateway, now } = this.#options;
    const { verdict } = verified;
    const prefix = {
      suite: verdict.suite,
      attestationId: fromHex(verdict.attestationId),
      kemId: verdict.kem.id,
    };
    const handshake = initiateHandshake(prefix, verdict.kem);
    const message2 = await gateway.handshake(candidate.node, handshake.message, signal);
    return new Session(handshake.finish(message2), verified, candidate, offer.price, now());
  }
}

/** Without a quote nobody says which machine it is; then owners alone tell nodes apart. */
const onePlatform = (one: NodeVerdict, other: NodeVerdict | undefined): boolean =>
  one.tee === "tdx" && other?.tee === "tdx" && one.platformId === other.platformId;

function order(offer: Candidates, wish: Wish, random: () => number): Candidate[] {
  let candidates = offer.candidates.filter(({ node }) => !wish.not.includes(node));
  if (wish.manifest !== undefined) {
    candidates = candidates.filter(({ manifest }) => manifest === wish.manifest);
  }
  const ordered = weightedOrder(candidates, random);
  if (wish.standbyOf) {
    return standbyOrder(ordered, { node: wish.standbyOf.node, owner: wish.standbyOf.candidate.owner });
  }
  const { instead } = wish;
  return [
    ...ordered.filter(({ node }) => node === instead),
    ...ordered.filter(({ node }) => node !== instead),
  ];
}

/** A price names itself by its hash, so the row that we compute with is the one that the id means. */
function assertPrice({ price }: Candidates): void {
  const { id, ...row } = price;
  if (priceId(row) !== id) {
    throw new BombyxError(
      "PRICE_UNKNOWN",
      "The gateway's price row does not match its id; nothing was sent.",
    );
  }
}
