import type { BombyxError, SignedReceipt } from "@bombyx/protocol/wire";
import type { GatewayOptions } from "../gateway/gateway-http.ts";
import type { ExpectedCharge } from "./signer-state.ts";
import type { ChargeName } from "./voucher-signer.ts";

/** What a client needs of whatever pays for it; `ChannelPayment` is one. */
export interface Payment {
  /** Address of the channel that pays. */
  readonly channel: string;
  /** Called once by the client that it pays for. */
  attach(gateway: GatewayOptions, now: () => number): void;
  /**
   * Before anything is asked of the gateway at the channel's expense.
   * @throws BombyxError SECOND_SIGNER; VOUCHER_NETWORK and VOUCHER_VAULT when this gateway settles elsewhere.
   */
  ready(): Promise<void>;
  /** Before a request is sent. @throws BombyxError SECOND_SIGNER. */
  expect(charge: ExpectedCharge): Promise<void>;
  /** A receipt that the client has recomputed. */
  checked(signed: SignedReceipt): void;
  /** Nothing is to be paid for it: it was refused, or its receipt is wrong. */
  unpaid(name: ChargeName): void;
  /** The request runs no more, however it ended. */
  ended(name: ChargeName): void;
  /**
   * The gateway wants a voucher before it serves more; resolves when asking again makes sense.
   * @throws BombyxError VOUCHER_REQUIRED when it wants more than receipts say, SECOND_SIGNER.
   */
  pay(refusal: BombyxError, signal: AbortSignal): Promise<void>;
}
