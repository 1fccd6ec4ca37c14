import type { Update } from "grammy/types";

/** Stars that moved: such an update is never too old to be handled, and nobody's /forget erases it. */
export const isPayment = ({ message }: Update): boolean =>
  message?.successful_payment !== undefined || message?.refunded_payment !== undefined;
