import { type ChainView, nodeId } from "@bombyx/protocol/attestation";
import { ready } from "@bombyx/protocol/session";
import { toHex } from "@bombyx/protocol/wire";
import type { Clock } from "./clock.ts";
import { systemClock } from "./clock.ts";
import { newBoot } from "./enclave/boot.ts";
import { Enclave } from "./enclave/enclave.ts";
import type { Engine } from "./engine/engine.ts";
import { nvidiaDeviceRoot } from "./gpu/device-chain.ts";
import { gpuNonce } from "./gpu/evidence.ts";
import { GpuGuard, type GpuOptions } from "./gpu/guard.ts";
import { noGpu } from "./gpu/provider.ts";
import { GatewayLink, type LinkStatus } from "./link/gateway-link.ts";
import { assertGatewayUrl } from "./link/gateway-url.ts";
import { ReceiptOutbox } from "./link/receipt-outbox.ts";
import { type NodeLog, silentLog } from "./log.ts";
import type { Quotes } from "./quote/quote-provider.ts";
import { NodeSettlement, type SettlementOptions } from "./settlement/node-settlement.ts";
import type { SettlementStatus } from "./settlement/settlement-status.ts";
import { StateDirectory } from "./state/state-directory.ts";

/** What a person who watches the node is told. */
export type NodeStatus = LinkStatus | SettlementStatus;

export interface NodeOptions {
  /** Base URL of the gateway. */
  readonly gateway: string;
  /** Takes an http gateway on another machine. @default false */
  readonly allowHttp?: boolean;
  /** Folder for the link key and the last Ack. */
  readonly stateDir: string;
  readonly name: string;
  /** The owner's wallet; part of the node's id. @default "unset": earnings stay with the owner's account */
  readonly payout?: string;
  /** Once, for a node that this gateway has not seen. */
  readonly pairingCode?: string;
  /** Price coefficient in 1/1000. @default 1000 */
  readonly coefficient?: number;
  /**
   * Started already, or what starts it once the node has its keys: then `gpu`, asked before each load, verifies the
   * GPU and says whether weights may lie on it. Closed with the node, and when the node does not start.
   */
  readonly engine: Engine | ((gpu: () => Promise<boolean>) => Promise<Engine>);
  /** @default no GPU is used */
  readonly gpu?: GpuOptions;
  /** Where quotes come from; "none" for a node of the open tier. */
  readonly quotes: Quotes;
  readonly chain: ChainView;
  readonly log?: NodeLog;
  readonly clock?: Clock;
  /** 0 ≤ x < 1, for the jitter between attempts to connect. @default Math.random */
  readonly random?: () => number;
  /** @default a gateway's settlement on chain is neither asked for nor watched */
  readonly settlement?: SettlementOptions;
  readonly onStatus?: (status: NodeStatus) => void;
  /** Gives up waiting for admission. */
  readonly signal?: AbortSignal;
}

export interface RunningNode {
  readonly nodeId: string;
  readonly modelId: string;
  /** Resolves when the node was closed. @throws BombyxError when the gateway refused it for good. */
  readonly ended: Promise<void>;
  /**
   * Takes nothing new, lets answers end for at most `drainMs`, then erases every key.
   * @default drainMs 0
   */
  close(drainMs?: number): Promise<void>;
}

/**
 * Starts a node and resolves when its gateway has admitted it; keeps trying while that is out of reach.
 * @throws BombyxError when this machine gives no quote, the chain no beacon, or the gateway refuses for good.
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const started: { engine?: Engine } = typeof options.engine === "function" ? {} : { engine: options.engine };
  try {
    return await startLinked(options, started);
  } catch (error) {
    await started.engine?.close();
    throw error;
  }
}

const noGpuUsed: GpuOptions = { policy: "none", provider: noGpu, rootSha256: nvidiaDeviceRoot };

async function startLinked(options: NodeOptions, started: { engine?: Engine }): Promise<RunningNode> {
  await ready;
  assertGatewayUrl(options.gateway, options.allowHttp ?? false);
  const { clock = systemClock, log = silentLog, coefficient = 1_000, chain } = options;
  const state = await StateDirectory.open(options.stateDir);
  const identity = await state.identity(options.payout ?? "unset");
  const settlement = await NodeSettlement.open(
    {
      gateway: options.gateway,
      node: toHex(nodeId(identity.linkPk, identity.payout)),
      payout: identity.payout,
      state,
      clock,
      log,
      onStatus: (status) => options.onStatus?.(status),
    },
    options.settlement,
  );
  const { gate, evidence } = settlement;
  const outbox = new ReceiptOutbox((count) => settlement.waiting(count));
  const admitted = Promise.withResolvers<void>();
  let link: GatewayLink | undefined;
  const boot = newBoot(identity);
  const gpu = new GpuGuard(options.gpu ?? noGpuUsed, gpuNonce(boot.bootId, boot.sig.publicKey));
  if (typeof options.engine === "function") {
    const mayOffload = async () => (await gpu.check((await chain.latest()).at)).mode !== "none";
    try {
      started.engine = await options.engine(mayOffload);
      options.signal?.throwIfAborted();
    } catch (error) {
      boot.sig.privateKey.fill(0);
      throw error;
    }
  }
  const { engine } = started;
  if (engine === undefined) throw new TypeError("there is no engine");
  const enclave = await Enclave.start({
    boot,
    gpu,
    engine,
    quotes: options.quotes,
    chain,
    clock,
    log,
    receipts: outbox,
    refusal: () => gate.refusal(),
    coefficient,
    onEpoch: () => link?.publish(),
    onLoad: () => link?.reportLoad(),
  });
  link = new GatewayLink({
    gateway: options.gateway,
    identity,
    name: options.name,
    pairingCode: options.pairingCode,
    coefficient,
    enclave,
    outbox,
    clock,
    random: options.random ?? Math.random,
    log,
    money: {
      terms: (ackPk) => settlement.terms(ackPk),
      get lastAck() {
        return evidence.lastAck;
      },
      acknowledged: (signed) => settlement.acknowledged(signed),
      proof: (proof) => settlement.proof(proof),
      get held() {
        return gate.hold !== undefined;
      },
    },
    onStatus: (status) => {
      options.onStatus?.(status);
      if (status.state === "admitted") admitted.resolve();
    },
  });

  const running = link;
  gate.onChange(() => running.offer());
  let closing: Promise<void> | undefined;
  const shutDown = async (drainMs: number): Promise<void> => {
    running.drain();
    const drained = enclave.drain();
    if (drainMs > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const cancel = clock.after(drainMs, resolve);
      await Promise.race([drained, promise]);
      cancel();
    }
    enclave.close();
    settlement.close();
    running.close();
    await running.ended.catch(() => {});
    await engine.close();
    await Promise.all([state.flushed(), evidence.flushed()]);
  };
  const close = (drainMs = 0): Promise<void> => {
    closing ??= shutDown(drainMs);
    return closing;
  };

  options.signal?.addEventListener("abort", () => admitted.reject(options.signal?.reason), { once: true });
  running.start();
  try {
    await Promise.race([admitted.promise, running.ended]);
    options.signal?.throwIfAborted();
  } catch (error) {
    await close();
    throw error;
  }
  return { nodeId: enclave.node, modelId: engine.model.manifest.model, ended: running.ended, close };
}
