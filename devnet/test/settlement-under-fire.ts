/**
 * A gateway's settlement in a process of its own, which settles a receipt with every look at the chain, says what it
 * acknowledges, and dies at the step that it is told. Arguments: data directory, settlement file, step or "none".
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as after } from "node:timers/promises";
import { openLedger } from "@bombyx/gateway/ledger";
import { type EpochStep, openStore, Settlement, settlementConfigSchema } from "@bombyx/gateway/settlement";
import { ready } from "@bombyx/protocol/receipt";
import { pino } from "pino";

/** What the parent reads, one line each. */
export type Told =
  | { readonly t: "ack"; readonly index: number; readonly epoch: number; readonly freeNano: string }
  | { readonly t: "reached"; readonly step: EpochStep }
  | {
      readonly t: "state";
      readonly epoch: number;
      readonly pending: boolean;
      readonly final: number;
      readonly problems: readonly string[];
    }
  | { readonly t: "owners"; readonly message: string };

const [dataDir = "", file = "", dieAt = "none"] = process.argv.slice(2);
const say = (told: Told) => process.stdout.write(`${JSON.stringify(told)}\n`);

await ready;
const config = settlementConfigSchema.parse(JSON.parse(readFileSync(file, "utf8")));
const node = "ab".repeat(32);
const payout = `0:${"cd".repeat(32)}`;
const store = openStore({ dataDir });
const at = Date.now();
await store.db
  .insertInto("nodes")
  .values({ node, link_pk: "00".repeat(32), payout, owner: "developer:acme", paired_at: BigInt(at) })
  .onConflict((conflict) => conflict.doNothing())
  .execute();
await store.db
  .insertInto("api_keys")
  .values({
    id: "key",
    prefix: "key",
    hash: "hash",
    developer: "acme",
    label: "",
    created_at: BigInt(at),
  })
  .onConflict((conflict) => conflict.doNothing())
  .execute();
const ledger = await openLedger({ dataDir, feeBps: 1_000, takeOverAt: at });
const settlement = await Settlement.open({
  config,
  dataDir,
  feeBps: 1_000,
  db: store.db,
  ledger,
  fleet: { get: () => undefined, linked: function* () {} },
  events: {
    add: ({ message }) => say({ t: "owners", message: message ?? "" }),
    settled: async () => {},
  },
  log: pino({ level: "warn" }, pino.destination(2)),
  now: Date.now,
  reached: async (step) => {
    say({ t: "reached", step });
    if (step === dieAt) process.kill(process.pid, "SIGKILL");
    // Work goes on between any two steps.
    await work();
  },
});

/** One question and its answer, and what the node is told of it. */
async function work(): Promise<void> {
  const id = randomBytes(32).toString("hex");
  const now = Date.now();
  const attempt = {
    session: id,
    request: 0,
    account: "developer:acme",
    payer: "sponsor:acme",
    node,
    attestationId: "11".repeat(32),
    idempotencyId: id.slice(0, 32),
    priceId: "22".repeat(16),
    nanoPerUnit: 20n,
    coefficient: 1_000,
    requestBytes: 1_024,
    capUnits: 6_400,
    continuationCapUnits: 6_400,
    at: now,
  };
  try {
    await ledger.reserve(attempt);
  } catch {
    // The deposit was not seen yet.
    return;
  }
  const { nanoPerUnit: _, requestBytes: __, continuationCapUnits: ___, account: ____, ...rest } = attempt;
  const { ack } = await ledger.settle(
    {
      receipt: {
        v: 1,
        attestationId: rest.attestationId,
        session: rest.session,
        request: rest.request,
        idempotencyId: rest.idempotencyId,
        manifest: "33".repeat(32),
        priceId: rest.priceId,
        coefficient: rest.coefficient,
        capUnits: rest.capUnits,
        ceilingUnits: 1_000_000,
        units: 640,
        frames: 10,
        finish: "done",
        requestHash: "44".repeat(32),
        framesHash: "55".repeat(32),
        detailHash: "66".repeat(32),
      },
      signature: "ab".repeat(64),
    },
    now,
  );
  const { terms } = settlement;
  const freeNano = ack.cumulativeNano - terms.heldNano(ack);
  say({ t: "ack", index: ack.index, epoch: terms.epoch(), freeNano: String(freeNano) });
}

for (;;) {
  await settlement.look();
  await work();
  const { epoch, pending, problems } = settlement.state;
  const final = settlement.info().final?.epoch ?? 0;
  say({ t: "state", epoch, pending, final, problems: [...problems] });
  await after(20);
}
