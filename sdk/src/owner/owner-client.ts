import {
  changedMachineSchema,
  type IssuedPairingCode,
  type Machine,
  type MachineRequest,
  machineSchema,
  machinesSchema,
  pairingCodeSchema,
  registeredMachineSchema,
} from "@bombyx/protocol/wire";
import * as z from "zod";
import type { GatewayAccess } from "../gateway/access.ts";
import { GatewayHttp } from "../gateway/gateway-http.ts";

interface CallOptions {
  readonly signal?: AbortSignal;
}

/**
 * The machines of one account: a person's (with a Mini App's token) or a developer's (with an API key).
 *
 * ```ts
 * const owner = new OwnerClient({ gateway, apiKey });
 * const { pairing } = await owner.register({ gpu: "NVIDIA H100 80 GB", vramMib: 81_920, hoursPerDay: 20 });
 * console.log(`bombyx-node --gateway ${gateway} --pair ${pairing.code}`);
 * ```
 *
 * Every method throws BombyxError: UNAUTHENTICATED, FORBIDDEN (a bot's key), RATE_LIMITED, GATEWAY_UNREACHABLE.
 */
export class OwnerClient {
  readonly #http: GatewayHttp;

  /** @throws BombyxError BAD_REQUEST when `gateway` is not an https URL, or an http one of this machine. */
  constructor({ gateway, apiKey, allowHttp, fetch }: GatewayAccess) {
    this.#http = new GatewayHttp({ url: gateway, apiKey, allowHttp, fetch });
  }

  /** Oldest first. */
  async machines(options: CallOptions = {}): Promise<readonly Machine[]> {
    return (await this.#http.json(machinesSchema, "v1/owner/machines", options)).machines;
  }

  /**
   * Registers hardware; the code pairs one node with it within 15 minutes and is shown only here.
   * @throws BombyxError BAD_REQUEST naming the field, MACHINE_LIMIT.
   */
  async register(
    machine: MachineRequest,
    options: CallOptions = {},
  ): Promise<{ machine: Machine; pairing: IssuedPairingCode }> {
    return await this.#http.post(registeredMachineSchema, "v1/owner/machines", machine, options);
  }

  /** A new pairing code; those made before for this machine end. @throws BombyxError NOT_FOUND. */
  async newPairingCode(machine: string, options: CallOptions = {}): Promise<IssuedPairingCode> {
    const path = `v1/owner/machines/${encodeURIComponent(machine)}/pairing-code`;
    return await this.#http.post(pairingCodeSchema, path, {}, options);
  }

  /** How everybody sees it from now on. @throws BombyxError NOT_FOUND, BAD_REQUEST. */
  async rename(machine: string, name: string, options: CallOptions = {}): Promise<Machine> {
    const path = `v1/owner/machines/${encodeURIComponent(machine)}`;
    const changed = await this.#http.post(
      changedMachineSchema,
      path,
      { name },
      { ...options, method: "PATCH" },
    );
    return changed.machine;
  }

  /** Forgets the machine; its node is refused from now on. What it earned stays earned. @throws BombyxError NOT_FOUND. */
  async remove(machine: string, options: CallOptions = {}): Promise<void> {
    const path = `v1/owner/machines/${encodeURIComponent(machine)}`;
    const removed = z.object({ removed: machineSchema.shape.id });
    await this.#http.json(removed, path, { ...options, method: "DELETE" });
  }
}
