import type { Address, Cell, StateInit } from "@ton/core";
import { codeAt } from "../chain.ts";
import { gram, type World } from "../world.ts";

export interface Forgery {
  readonly from: Address;
  readonly to: Address;
  readonly body: Cell;
  readonly value?: bigint;
  readonly bounced?: boolean;
  readonly bounce?: boolean;
  readonly init?: StateInit;
}

/** A message whose sender and flags are what the test says, as no wallet could send it. Answers with the exit code. */
export async function forged(
  w: World,
  { from, to, body, value = gram(0.5), bounced = false, bounce = false, init }: Forgery,
): Promise<number | undefined> {
  w.chain.inject({
    info: {
      type: "internal",
      ihrDisabled: true,
      bounce,
      bounced,
      src: from,
      dest: to,
      value: { coins: value },
      ihrFee: 0n,
      forwardFee: 0n,
      createdAt: w.chain.now,
      createdLt: 0n,
    },
    body,
    ...(init !== undefined && { init }),
  });
  const done = await w.chain.settle();
  return codeAt(done, to);
}
