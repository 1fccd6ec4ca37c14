import { assertSigned } from "@bombyx/protocol/receipt";
import {
  BombyxError,
  fromUtf8,
  type Receipt,
  type SignedReceipt,
  signedReceiptSchema,
} from "@bombyx/protocol/wire";
import type { AttestationIntake, Signer } from "../fleet/attestation-intake.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { NodeLink } from "../fleet/node-link.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Log } from "../log.ts";
import type { AckSigner } from "./acks.ts";
import { type Attempt, disagreement } from "./attempt.ts";
import type { Attempts } from "./attempts.ts";
import type { RunningReceipts } from "./running-receipts.ts";

export interface ReceiptIntakeOptions {
  readonly ledger: Ledger;
  readonly attempts: Attempts;
  readonly running: RunningReceipts;
  readonly fleet: Fleet;
  readonly attestations: AttestationIntake;
  readonly acks: AckSigner;
  readonly log: Log;
  readonly now: () => number;
}

/** A node sends receipts again on this stream, after a reconnection. */
const resentStream = 0;

/** Receipts on their way from a node to the ledger, the client and back as an Ack (PROTOCOL §8). */
export class ReceiptIntake {
  readonly #options: ReceiptIntakeOptions;
  /** Per link, the receipts that its node sends again; one stream, so they are answered in order. */
  readonly #resent = new WeakMap<NodeLink, Promise<void>>();

  constructor(options: ReceiptIntakeOptions) {
    this.#options = options;
  }

  /**
   * A receipt from a node's link; never throws. One that was signed under a known attestation is with
   * the ledger before this returns, so that what the node says next is judged after it.
   */
  async receive(link: NodeLink, stream: number, payload: Buffer): Promise<void> {
    if (stream !== resentStream) return await this.#receive(link, stream, payload);
    const before = this.#resent.get(link) ?? Promise.resolve();
    const after = before.then(() => this.#receive(link, stream, payload));
    this.#resent.set(link, after);
    await after;
  }

  async #receive(link: NodeLink, stream: number, payload: Buffer): Promise<void> {
    try {
      const signed = parse(payload);
      const { attestationId } = signed.receipt;
      const { attestations } = this.#options;
      const signer = signerOf(
        attestations.knownSigner(attestationId) ?? (await attestations.storedSigner(attestationId)),
        link.node,
      );
      if (signed.receipt.finish === "running") {
        await this.#running(link, stream, payload, signed, signer.sigPk);
        return;
      }
      assertSigned(signed, signer.sigPk);
      await this.#final(link, stream, payload, signed);
    } catch (error) {
      await this.#refused(link, stream, error);
    }
  }

  /**
   * A running receipt of a lost node, presented by the client that it answered: pays for what was
   * delivered and ends that attempt.
   * @throws BombyxError RECEIPT_INVALID, REQUEST_UNKNOWN, FORBIDDEN or ATTEMPT_OPEN (the node still answers).
   */
  async present(account: string, value: unknown): Promise<{ units: number; chargedNano: bigint }> {
    const { ledger, attestations, now } = this.#options;
    const signed = parse(value);
    const { receipt } = signed;
    const { attestationId } = receipt;
    const signer = signerOf(
      attestations.knownSigner(attestationId) ?? (await attestations.storedSigner(attestationId)),
    );
    assertSigned(signed, signer.sigPk);
    const attempt = await ledger.attemptOf(receipt);
    if (!attempt) throw new BombyxError("REQUEST_UNKNOWN", "This gateway knows no such request.");
    if (attempt.account !== account) {
      throw new BombyxError("FORBIDDEN", "A receipt is presented by the account that asked.");
    }
    if (attempt.state === "open") {
      throw new BombyxError(
        "ATTEMPT_OPEN",
        "The node still answers this request; its own receipt settles it.",
        {
          retryAfterMs: 1_000,
        },
      );
    }
    if (attempt.state === "lost") await ledger.settle(signed, now());
    return await ledger.lose(receipt, now());
  }

  /** A running receipt is passed on, and remembered for the case that the node is lost. */
  async #running(
    link: NodeLink,
    stream: number,
    payload: Buffer,
    signed: SignedReceipt,
    sigPk: Uint8Array,
  ): Promise<void> {
    const { ledger, running, now } = this.#options;
    const attempt = this.#attemptOf(signed.receipt);
    if (attempt?.state === "running") {
      link.peek(stream)?.receipt(payload, false);
      running.remember(attempt, signed, sigPk, (error) => void this.#refused(link, stream, error));
      return;
    }
    assertSigned(signed, sigPk);
    await ledger.settle(signed, now());
  }

  async #final(link: NodeLink, stream: number, payload: Buffer, signed: SignedReceipt): Promise<void> {
    const { ledger, attempts, acks, now } = this.#options;
    const attempt = this.#attemptOf(signed.receipt);
    const answered = link.peek(stream);
    if (answered && answered !== attempt?.relay) {
      // It would end the stream's own answer, whose money would stay held.
      throw new BombyxError("RECEIPT_INVALID", "The receipt came on the stream of another answer.");
    }
    if (attempt) attempts.settling(attempt);
    const settlement = await ledger.settle(signed, now());
    if (attempt) attempts.settled(attempt, signed, settlement);
    link.take(stream)?.receipt(payload, true);
    link.control(acks.acknowledge(stream, link.node, settlement.ack));
  }

  /** The attempt that a receipt names. @throws BombyxError RECEIPT_INVALID when the two disagree. */
  #attemptOf(receipt: Receipt): Attempt | undefined {
    const attempt = this.#options.attempts.find(receipt);
    const field = attempt && disagreement(receipt, attempt);
    if (field) {
      throw new BombyxError("RECEIPT_INVALID", "The receipt is not for what was asked.", { field });
    }
    return attempt;
  }

  /**
   * PROTOCOL §8: what bills more than was reserved is not settled, and its node serves no more. Any
   * other refused receipt is answered with what stands, or its node would send it for ever.
   */
  async #refused(link: NodeLink, stream: number, error: unknown): Promise<void> {
    const { fleet, log } = this.#options;
    const known = error instanceof BombyxError ? error : undefined;
    if (known) log.warn({ node: link.node, code: known.code, field: known.field }, known.message);
    else log.error({ err: error, node: link.node }, "a receipt could not be settled");
    const node = fleet.get(link.node);
    link.take(stream)?.failed({
      code: known ? "RECEIPT_INVALID" : "INTERNAL",
      message: known
        ? `The node's receipt was refused: ${known.message}`
        : "The receipt could not be settled.",
    });
    if (known?.code === "QUARANTINED" && node) fleet.quarantine(node, known.message);
    else if (known) await this.#standing(link, stream);
  }

  async #standing(link: NodeLink, stream: number): Promise<void> {
    const { ledger, acks, log, now } = this.#options;
    try {
      link.control(acks.acknowledge(stream, link.node, await ledger.standing(link.node, now())));
    } catch (error) {
      log.error({ err: error, node: link.node }, "the ledger does not answer");
    }
  }
}

/** @throws BombyxError RECEIPT_INVALID unless the receipt's attestation is known, and is that of `node`. */
function signerOf(signer: Signer | undefined, node?: string): Signer {
  if (!signer || (node !== undefined && signer.node !== node)) {
    throw new BombyxError("RECEIPT_INVALID", "The receipt names an attestation that is not this node's.", {
      field: "attestationId",
    });
  }
  return signer;
}

/** @throws BombyxError RECEIPT_INVALID for what has not the shape of a signed receipt. */
function parse(value: unknown): SignedReceipt {
  try {
    return signedReceiptSchema.parse(value instanceof Uint8Array ? JSON.parse(fromUtf8(value)) : value);
  } catch (cause) {
    throw new BombyxError("RECEIPT_INVALID", "The receipt has not the shape of a Bombyx receipt.", { cause });
  }
}
