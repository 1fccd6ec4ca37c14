/** For owners of GPUs: register a machine, pair it, see what it does and earns. */

export {
  type IssuedPairingCode,
  type Machine,
  type MachineRequest,
  type MachineState,
  ownerLimits,
  type Served,
} from "@bombyx/protocol/wire";
export type { GatewayAccess } from "../gateway/access.ts";
export { busyPercent, type EarningEstimate, estimateDay, estimateModel } from "./estimate.ts";
export { type Gpu, gpus } from "./gpus.ts";
export { defaultNodeCommand, nodeCommand } from "./node-command.ts";
export { OwnerClient } from "./owner-client.ts";
