import { initiateHandshake, newKemKeyPair, ready, respondToHandshake } from "@bombyx/protocol/session";
import { BombyxError, type ErrorBody } from "@bombyx/protocol/wire";
import { expect, it } from "vitest";
import { FakeClock } from "../../test/fake-clock.ts";
import { Answer } from "./answer.ts";
import type { Outlet } from "./outlet.ts";

await ready;

/** Both ends' keys of a session. */
function sessionKeys() {
  const kem = newKemKeyPair();
  const prefix = { suite: 1, attestationId: new Uint8Array(32), kemId: kem.id } as const;
  const { message } = initiateHandshake(prefix, { id: kem.id, x25519: kem.x25519.publicKey });
  return respondToHandshake(message, kem).session;
}

class FakeOutlet implements Outlet {
  writable = true;
  readonly frames: number[] = [];
  readonly failures: ErrorBody[] = [];
  frame(index: number): void {
    this.frames.push(index);
  }
  receipt(): void {}
  failed(error: ErrorBody): void {
    this.failures.push(error);
  }
}

function refusedAnswer(clock: FakeClock): Answer {
  return new Answer({
    keys: sessionKeys(),
    request: 0,
    tickMs: 80,
    billing: undefined,
    clock,
    receipts: { final() {}, waiting: 0 },
    onFinal() {},
  });
}

it("sends nothing while the socket holds too much, and goes on at the next tick when it does not", () => {
  const clock = new FakeClock();
  const answer = refusedAnswer(clock);
  const outlet = new FakeOutlet();
  outlet.writable = false;
  answer.attach(outlet, 0);
  answer.fail(new BombyxError("BAD_REQUEST", "No."));
  clock.advance(80);
  expect(outlet.frames).toEqual([]);
  outlet.writable = true;
  clock.advance(80);
  expect(outlet.frames).toEqual([0]);
  expect(outlet.failures).toEqual([expect.objectContaining({ code: "BAD_REQUEST" })]);
});

it("leaves no timer behind when it is over", () => {
  const clock = new FakeClock();
  const answer = refusedAnswer(clock);
  answer.attach(new FakeOutlet(), 0);
  expect(clock.pending).toBe(1);
  answer.fail(new BombyxError("BAD_REQUEST", "No."));
  expect(clock.pending).toBe(0);
});
