import type { Machine, MachineState, Served } from "@bombyx/protocol/wire";
import type { MachineRecord } from "../accounts/accounts.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { FleetNode } from "../fleet/fleet-node.ts";
import type { Figures } from "./figures.ts";
import { linkedState, runningOn } from "./network-view.ts";
import { nothing, type Totals } from "./tally.ts";

/** Above it clients pass a node over unless told otherwise (the SDK's default). */
const coefficientTaken = 2_000;
/** A node whose answers failed this often of late is asked last. */
const penaltyWarned = 4;

/** A machine as its owner sees it. */
export async function machineView(
  machine: MachineRecord,
  { fleet, figures }: { fleet: Fleet; figures: Figures },
): Promise<Machine> {
  const node = machine.node === undefined ? undefined : fleet.get(machine.node);
  const state = stateOf(machine, node);
  const total = machine.node === undefined ? nothing : await figures.totals(machine.node);
  return {
    id: machine.id,
    name: machine.name ?? node?.name ?? machine.gpu ?? machine.id.slice(0, 6),
    gpu: machine.gpu ?? null,
    vramMib: machine.vramMib ?? null,
    hoursPerDay: machine.hoursPerDay ?? null,
    registeredAt: machine.registeredAt,
    state,
    since: sinceOf(state, machine, node),
    pairing: machine.codeExpiresAt === undefined ? null : { expiresAt: machine.codeExpiresAt },
    node: machine.node ?? null,
    pairedAt: machine.pairedAt ?? null,
    attestedAt: node?.attestedAt || null,
    serving: servingOf(state, node),
    total: served(total),
    today: served(machine.node === undefined ? nothing : figures.today(machine.node)),
    minutes: machine.node === undefined ? [] : figures.minutesOf(machine.node),
    warnings: warningsOf(state, node, machine.quarantine),
  };
}

function stateOf(machine: MachineRecord, node: FleetNode | undefined): MachineState {
  if (machine.node === undefined) return "unpaired";
  if (machine.quarantine !== undefined) return "quarantined";
  if (!node) return "offline";
  if (node.quarantined) return "quarantined";
  return node.link === undefined ? "offline" : linkedState(node);
}

function sinceOf(state: MachineState, machine: MachineRecord, node: FleetNode | undefined): number {
  if (state === "unpaired") return machine.registeredAt;
  if (!node) return machine.seenAt ?? machine.pairedAt ?? machine.registeredAt;
  return state === "ready" || state === "draining" ? node.attestedAt : node.linkChangedAt;
}

function servingOf(state: MachineState, node: FleetNode | undefined): Machine["serving"] {
  const [offer] = node?.offers.values() ?? [];
  const attested = node?.attested;
  if (!offer || !attested || (state !== "ready" && state !== "draining")) return null;
  return {
    model: offer.model.id,
    slots: offer.slots,
    running: runningOn(offer),
    queued: offer.queued,
    decodeTokensPerSecond: offer.model.decodeTokensPerSecond,
    prefillTokensPerSecond: offer.model.prefillTokensPerSecond,
    attestationId: attested.attestationId,
    simulated: attested.simulated,
  };
}

function warningsOf(
  state: MachineState,
  node: FleetNode | undefined,
  quarantine: string | undefined,
): Machine["warnings"] {
  const warnings: Machine["warnings"] = [];
  if (state === "quarantined") {
    const reason = quarantine ?? node?.refusal?.message ?? "it broke a rule";
    warnings.push({
      code: "QUARANTINED",
      message: `The gateway sends this machine nothing more: ${reason} Update bombyx-node, then ask the operator to let it in again.`,
    });
  } else if (node?.refusal && state !== "ready") {
    warnings.push({ code: node.refusal.code, message: node.refusal.message });
  }
  if (!node) return warnings;
  if (state === "ready" && node.penalty >= penaltyWarned) {
    warnings.push({
      code: "FAILING",
      message: "Answers of this machine failed lately, so it is asked last. Its own log names the reason.",
    });
  }
  if (node.coefficient > coefficientTaken) {
    warnings.push({
      code: "PRICE_HIGH",
      message: `It asks ${node.coefficient / 1_000} times the gateway's price; most clients take at most ${coefficientTaken / 1_000}. Start it with a lower --coefficient.`,
    });
  }
  return warnings;
}

const served = ({ requests, units, earnedNano }: Totals): Served => ({
  requests,
  units,
  earnedNano: earnedNano.toString(),
});
