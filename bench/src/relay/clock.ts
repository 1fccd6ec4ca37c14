/** µs on the machine's monotonic clock: the same in every process, so that a stamp can cross one. */
export const nowUs = (): number => Number(process.hrtime.bigint() / 1_000n);
