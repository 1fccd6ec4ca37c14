import { BombyxError, ownerLimits } from "@bombyx/protocol/wire";
import type { Kysely } from "kysely";
import type { StoreSchema } from "../store/schema.ts";
import type { MachineRecord, PairingCode } from "./accounts.ts";
import { newMachineId, type Pairing } from "./pairing.ts";
import type { RateLimiter } from "./rate-limit.ts";

/** The hardware that owners registered; a machine is paired with at most one node. */
export class Machines {
  readonly #db: Kysely<StoreSchema>;
  readonly #pairing: Pairing;
  readonly #codes: RateLimiter;
  readonly #now: () => number;

  /** @param codes new pairing codes by owner. */
  constructor(
    db: Kysely<StoreSchema>,
    { pairing, codes, now }: { pairing: Pairing; codes: RateLimiter; now: () => number },
  ) {
    this.#db = db;
    this.#pairing = pairing;
    this.#codes = codes;
    this.#now = now;
  }

  async register(
    owner: string,
    { gpu, vramMib, hoursPerDay, name }: { gpu: string; vramMib: number; hoursPerDay: number; name?: string },
  ): Promise<{ machine: MachineRecord; pairing: PairingCode }> {
    this.#codes.take(owner);
    const id = newMachineId();
    const pairing = await this.#db.transaction().execute(async (db) => {
      const { machines } = await db
        .selectFrom("machines")
        .select((row) => row.fn.countAll<bigint>().as("machines"))
        .where("owner", "=", owner)
        .executeTakeFirstOrThrow();
      if (machines >= BigInt(ownerLimits.machines)) {
        throw new BombyxError(
          "MACHINE_LIMIT",
          `An account has at most ${ownerLimits.machines} machines: remove one that is gone, or ask the operator.`,
        );
      }
      await db
        .insertInto("machines")
        .values({
          id,
          owner,
          name: name ?? null,
          gpu,
          vram_mib: BigInt(vramMib),
          hours_per_day: BigInt(hoursPerDay),
          registered_at: BigInt(this.#now()),
          node: null,
        })
        .execute();
      return await this.#pairing.createCode(owner, { machine: id }, db);
    });
    return { machine: await this.find(owner, id), pairing };
  }

  async newCode(owner: string, id: string): Promise<PairingCode> {
    this.#codes.take(owner);
    await this.find(owner, id);
    return await this.#pairing.createCode(owner, { machine: id });
  }

  async of(owner: string): Promise<readonly MachineRecord[]> {
    const rows = await this.#select(owner).orderBy("machines.registered_at").orderBy("machines.id").execute();
    const codes = await this.#codesOf(owner);
    return rows.map((row) => recordOf(row, codes.get(row.id)));
  }

  async find(owner: string, id: string): Promise<MachineRecord> {
    const row = await this.#select(owner).where("machines.id", "=", id).executeTakeFirst();
    if (!row) throw new BombyxError("NOT_FOUND", "Your account has no such machine.", { field: "id" });
    return recordOf(row, (await this.#codesOf(owner)).get(id));
  }

  async rename(owner: string, id: string, name: string): Promise<MachineRecord> {
    await this.#db
      .updateTable("machines")
      .set({ name })
      .where("owner", "=", owner)
      .where("id", "=", id)
      .execute();
    return await this.find(owner, id);
  }

  async remove(owner: string, id: string): Promise<MachineRecord> {
    const machine = await this.find(owner, id);
    await this.#db.transaction().execute(async (db) => {
      await db.deleteFrom("pairing_codes").where("machine", "=", id).execute();
      await db.deleteFrom("machines").where("id", "=", id).where("owner", "=", owner).execute();
      if (machine.node !== undefined) {
        await db
          .updateTable("nodes")
          .set({ removed_at: BigInt(this.#now()) })
          .where("node", "=", machine.node)
          .execute();
      }
    });
    return machine;
  }

  #select(owner: string) {
    return this.#db
      .selectFrom("machines")
      .leftJoin("nodes", "nodes.node", "machines.node")
      .leftJoin("quarantined_keys", "quarantined_keys.link_pk", "nodes.link_pk")
      .selectAll("machines")
      .select(["nodes.paired_at", "nodes.seen_at", "quarantined_keys.reason as quarantine"])
      .where("machines.owner", "=", owner);
  }

  /** When the code ends that waits for each machine's node. */
  async #codesOf(owner: string): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#db
      .selectFrom("pairing_codes")
      .innerJoin("machines", "machines.id", "pairing_codes.machine")
      .select(["machines.id", "pairing_codes.expires_at"])
      .where("machines.owner", "=", owner)
      .where("pairing_codes.spent_at", "is", null)
      .where("pairing_codes.expires_at", ">", BigInt(this.#now()))
      .execute();
    return new Map(rows.map(({ id, expires_at }) => [id, Number(expires_at)]));
  }
}

function recordOf(
  row: {
    id: string;
    owner: string;
    name: string | null;
    gpu: string | null;
    vram_mib: bigint | null;
    hours_per_day: bigint | null;
    registered_at: bigint;
    node: string | null;
    paired_at: bigint | null;
    seen_at: bigint | null;
    quarantine: string | null;
  },
  codeExpiresAt: number | undefined,
): MachineRecord {
  return {
    id: row.id,
    owner: row.owner,
    registeredAt: Number(row.registered_at),
    ...(row.name !== null && { name: row.name }),
    ...(row.gpu !== null && { gpu: row.gpu }),
    ...(row.vram_mib !== null && { vramMib: Number(row.vram_mib) }),
    ...(row.hours_per_day !== null && { hoursPerDay: Number(row.hours_per_day) }),
    ...(row.node !== null && { node: row.node }),
    ...(row.paired_at !== null && { pairedAt: Number(row.paired_at) }),
    ...(row.seen_at !== null && { seenAt: Number(row.seen_at) }),
    ...(row.quarantine !== null && { quarantine: row.quarantine }),
    ...(codeExpiresAt !== undefined && { codeExpiresAt }),
  };
}
