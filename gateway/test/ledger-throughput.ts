import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openLedger } from "../src/ledger/open-ledger.ts";
import { attempt, id16, id32, receiptFor } from "./attempts.ts";

/** Reserve + settle pairs per second with `lanes` requests in flight: `node -C bombyx-source gateway/test/ledger-throughput.ts`. */
const pairs = 20_000;
const dataDir = mkdtempSync(join(tmpdir(), "bombyx-throughput-"));
const ledger = await openLedger({ dataDir });
try {
  for (const lanes of [1, 50, 500]) {
    const payer = `sponsor:${lanes}`;
    await ledger.deposit({ key: payer, account: payer, nano: 10n ** 15n, at: 0 });
    let next = 0;
    const most = lanes === 1 ? 2_000 : pairs;
    const latencies: number[] = [];
    const lane = async () => {
      for (let n = next++; n < most; n = next++) {
        const of = attempt({ session: id32(`${lanes}/${n}`), payer, idempotencyId: id16(`${lanes}/${n}`) });
        const startedAt = performance.now();
        await ledger.reserve(of);
        latencies.push(performance.now() - startedAt);
        await ledger.settle(receiptFor(of), 2_000);
      }
    };
    const startedAt = performance.now();
    const cpu = process.cpuUsage();
    await Promise.all(Array.from({ length: lanes }, lane));
    const seconds = (performance.now() - startedAt) / 1_000;
    const { user, system } = process.cpuUsage(cpu);
    latencies.sort((a, b) => a - b);
    const at = (share: number) => (latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(2);
    process.stdout.write(
      `${lanes} in flight: ${Math.round(most / seconds)} pairs/s, reserve p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, CPU ${Math.round((user + system) / most)} µs a pair\n`,
    );
  }
  process.stdout.write(
    `${JSON.stringify(await ledger.audit(), (_, value) => (typeof value === "bigint" ? `${value}` : value))}\n`,
  );
} finally {
  await ledger.close();
  rmSync(dataDir, { recursive: true });
}
