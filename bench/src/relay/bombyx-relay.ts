import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Network, startNetwork } from "@bombyx/devnet/network";
import { toncenterChainView } from "@bombyx/protocol/attestation";
import { BombyxLoad, findTargets } from "./bombyx-client.ts";
import type { Relay } from "./peers.ts";
import { loadCore, type Running, relayCore, sourceFlags, startPinned } from "./pinned.ts";

const gatewayCli = fileURLToPath(new URL("../../../gateway/src/cli.ts", import.meta.url));
const linkSource = fileURLToPath(new URL("./link-source.ts", import.meta.url));
/** The most that one node may offer. */
const slotsPerNode = 256;
const developer = "devnet";
const botId = 7_000_000_001;

export interface BombyxRelayOptions {
  /** Frames with real sealing at both ends, or of the same size without it. */
  readonly sealed: boolean;
  readonly gapMs: number;
  readonly frames: number;
  /** Sessions opened before the first measurement. */
  readonly sessions: number;
  /** Options of Node for the gateway. */
  readonly nodeFlags?: readonly string[];
}

export interface BombyxRelay extends Relay {
  readonly network: Network;
}

/** Our gateway on the relay's core, with a paced source behind a node link and `sessions` prepared. */
export async function bombyxRelay(options: BombyxRelayOptions): Promise<BombyxRelay> {
  const folder = await mkdtemp(join(tmpdir(), "bombyx-bench-"));
  const network = await startNetwork({
    stateRoot: join(folder, ".devnet"),
    nodes: 0,
    slots: 1,
    pace: 0,
    model: { path: "", id: "" },
    ports: { gateway: 0, metrics: 0, chain: [0, 0], proxy: 0 },
    allowanceNano: "1000000000000000",
    instruments: { nodeFlags: options.nodeFlags ?? [] },
  });
  spawnSync("taskset", ["-acp", relayCore, String(network.gateway.pid)]);
  await admin(network, ["bots", "register", "--developer", developer, "--bot", String(botId)]);
  const { key } = await admin(network, ["keys", "create", "--developer", developer, "--bot", String(botId)]);
  const source = await startSource(network, options);
  const targets = await findTargets(
    network.gateway.url,
    String(key),
    Math.ceil(options.sessions / slotsPerNode),
  );
  const load = new BombyxLoad(network.gateway.url, targets, options.sealed);
  await load.prepare(options.sessions);
  return {
    name: options.sealed ? "bombyx sealed" : "bombyx plain",
    open: load.open,
    warm: load.warm,
    pids: [network.gateway.pid],
    network,
    stop: async () => {
      await source.stop();
      await network.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startSource(
  network: Network,
  { sealed, gapMs, frames, sessions }: BombyxRelayOptions,
): Promise<Running> {
  const chain = toncenterChainView({
    endpoints: [...network.policy.chainEndpoints],
    chain: network.policy.attestation.chain,
    fetch,
  });
  const codes: string[] = [];
  while (codes.length * slotsPerNode < sessions) {
    const { code } = await admin(network, ["pairing", "create", "--owner", developer]);
    codes.push(String(code));
  }
  return startPinned(loadCore, [process.execPath, ...sourceFlags, "-C", "bombyx-source", linkSource], {
    SEALED: sealed ? "1" : "0",
    GAP_MS: String(gapMs),
    FRAMES: String(frames),
    WORLD: network.state.path("world.json"),
    BEACON: JSON.stringify(await chain.latest()),
    LINK_URL: `${network.gateway.url.replace(/^http/, "ws")}/v1/link`,
    PAIRING_CODES: codes.join(","),
  });
}

/** One of the gateway's own commands, on its data directory. */
async function admin(network: Network, args: readonly string[]): Promise<Record<string, unknown>> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["-C", "bombyx-source", gatewayCli, ...args, "--json"],
    { env: { PATH: process.env.PATH ?? "", BOMBYX_DATA_DIR: network.state.path("gateway") } },
  );
  return stdout.trim() === "" ? {} : (JSON.parse(stdout) as Record<string, unknown>);
}
