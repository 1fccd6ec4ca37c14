import { BombyxError } from "@bombyx/protocol/wire";

/** Why a GPU is not trusted; node-agent/README.md says what each means. */
export type GpuReason =
  | "GPU_ABSENT"
  | "GPU_TOOL_MISSING"
  | "GPU_TOOL_TIMEOUT"
  | "GPU_TOOL_FAILED"
  | "GPU_TOOL_OUTPUT"
  | "GPU_CC_OFF"
  | "GPU_DEVELOPER_MODE"
  | "GPU_COUNT"
  | "GPU_TIME"
  | "GPU_EVIDENCE_TOO_LARGE"
  | "GPU_REPORT_TRUNCATED"
  | "GPU_REPORT_FORMAT"
  | "GPU_NONCE"
  | "GPU_CHAIN_FORMAT"
  | "GPU_CHAIN_ROOT"
  | "GPU_CHAIN_ISSUER"
  | "GPU_CHAIN_EXPIRED"
  | "GPU_FIRMWARE_ID"
  | "GPU_SIGNATURE"
  | "GPU_CHANGED"
  | "GPU_OFFLOADED";

/** A GPU that this node does not vouch for: to everybody else the node has failed. */
export class GpuError extends BombyxError {
  override readonly name = "GpuError";
  readonly reason: GpuReason;

  /** `message` is one sentence for the machine's owner. */
  constructor(reason: GpuReason, message: string, cause?: unknown) {
    super("NODE_FAILED", message, cause === undefined ? {} : { cause });
    this.reason = reason;
  }
}

/** @throws GpuError `reason` unless `condition` holds. */
export function demandGpu(condition: boolean, reason: GpuReason, message: string): asserts condition {
  if (!condition) throw new GpuError(reason, message);
}
