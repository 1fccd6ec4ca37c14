/** Nano as people read it: `8 GRAM`, `0.0013 GRAM`. */
export function gram(nano: bigint): string {
  const sign = nano < 0n ? "−" : "";
  const digits = (nano < 0n ? -nano : nano).toString().padStart(10, "0");
  const whole = digits.slice(0, -9).replace(/\B(?=(\d{3})+$)/g, " ");
  const rest = digits.slice(-9).replace(/0+$/, "");
  return `${sign}${whole}${rest && `.${rest}`} GRAM`;
}
