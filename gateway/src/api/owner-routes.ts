import { BombyxError, machineChangeSchema, machineRequestSchema } from "@bombyx/protocol/wire";
import type { Accounts, MachineRecord, Principal } from "../accounts/accounts.ts";
import { removed } from "../accounts/pairing.ts";
import type { Figures } from "../figures/figures.ts";
import { machineView } from "../figures/machine-view.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { readJson, sendJson } from "./bodies.ts";
import type { Callers } from "./callers.ts";
import type { Router } from "./router.ts";

/** The way for GPU owners: register a machine, pair it, see what it does and earns, let it go. */
export function ownerRoutes(
  router: Router,
  parts: { callers: Callers; accounts: Accounts; fleet: Fleet; figures: Figures; now: () => number },
): void {
  const { callers, accounts, fleet, figures, now } = parts;
  const view = (machine: MachineRecord) => machineView(machine, { fleet, figures });

  router.on("GET", "/v1/owner/machines", async ({ request, response }) => {
    const principal = await callers.identify(request);
    // A bot shows a person what is theirs; its developer's own machines are none of its business.
    const account = principal.kind === "bot" ? principal.account : ownerOf(principal);
    const machines = await accounts.machinesOf(account);
    sendJson(response, 200, { at: now(), machines: await Promise.all(machines.map(view)) });
  });

  router.on("POST", "/v1/owner/machines", async ({ request, response }) => {
    const owner = ownerOf(await callers.identify(request));
    const { gpu, vramMib, hoursPerDay, name } = await readJson(request, machineRequestSchema);
    const { machine, pairing } = await accounts.registerMachine(owner, {
      gpu,
      vramMib,
      hoursPerDay,
      ...(name !== undefined && { name }),
    });
    sendJson(response, 201, {
      machine: await view(machine),
      pairing: { code: pairing.code, expiresAt: pairing.expiresAt },
    });
  });

  router.on("POST", "/v1/owner/machines/{id}/pairing-code", async ({ request, response, params }) => {
    const owner = ownerOf(await callers.identify(request));
    const machine = params.id ?? "";
    const { code, expiresAt } = await accounts.createPairingCode({ owner, machine });
    sendJson(response, 201, { code, expiresAt });
  });

  router.on("PATCH", "/v1/owner/machines/{id}", async ({ request, response, params }) => {
    const owner = ownerOf(await callers.identify(request));
    const { name } = await readJson(request, machineChangeSchema);
    const machine = await accounts.renameMachine(owner, params.id ?? "", name);
    const node = machine.node === undefined ? undefined : fleet.get(machine.node);
    if (node) node.name = name;
    sendJson(response, 200, { machine: await view(machine) });
  });

  router.on("DELETE", "/v1/owner/machines/{id}", async ({ request, response, params }) => {
    const owner = ownerOf(await callers.identify(request));
    const machine = await accounts.removeMachine(owner, params.id ?? "");
    if (machine.node !== undefined) fleet.remove(machine.node, removed());
    sendJson(response, 200, { removed: machine.id });
  });
}

/**
 * A bot's key lies on the bot's server: who gets hold of it must neither pair machines to people nor
 * take theirs away.
 */
export function ownerOf({ account, kind, botId }: Principal): string {
  if (kind === "person" || (kind === "key" && botId === undefined)) return account;
  throw new BombyxError(
    "FORBIDDEN",
    "Machines are managed from the Mini App, or with a developer's own API key; not with a bot's.",
  );
}
