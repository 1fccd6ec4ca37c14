import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openLedger } from "@bombyx/gateway/ledger";
import { limits } from "@bombyx/protocol/wire";

const inFlight = 64;
const zeros = "00".repeat(32);
const hex = (bytes: number): string => randomBytes(bytes).toString("hex");

/** Reserve and settle pairs per second of a durable ledger on the disk that temporary files are on. */
async function pairsPerSecond(pairs: number): Promise<number> {
  const dataDir = await mkdtemp(join(tmpdir(), "bombyx-ledger-"));
  const ledger = await openLedger({ dataDir });
  await ledger.deposit({ key: "bench", account: "sponsor:bench", nano: 10n ** 15n, at: Date.now() });
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < pairs; index = next++) {
      const attempt = {
        session: hex(32),
        request: index % limits.requestsPerSession,
        idempotencyId: hex(16),
        attestationId: zeros,
        priceId: "00".repeat(16),
        coefficient: 1_000,
        requestBytes: 1_024,
        capUnits: 1_024,
      };
      const at = Date.now();
      await ledger.reserve({
        ...attempt,
        account: "developer:bench",
        payer: "sponsor:bench",
        node: zeros,
        nanoPerUnit: 20n,
        continuationCapUnits: 1_024,
        at,
      });
      await ledger.settle(
        {
          receipt: {
            ...attempt,
            v: 1,
            manifest: zeros,
            ceilingUnits: 1_024,
            units: 64,
            frames: 4,
            finish: "done",
            requestHash: zeros,
            framesHash: zeros,
            detailHash: zeros,
          },
          signature: "00".repeat(64),
        },
        at,
      );
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: inFlight }, worker));
  const rate = (pairs * 1_000) / (performance.now() - startedAt);
  await ledger.close();
  await rm(dataDir, { recursive: true, force: true });
  return rate;
}

process.stdout.write(
  `${JSON.stringify({ pairsPerSecond: await pairsPerSecond(Number(process.env.PAIRS)) })}\n`,
);
