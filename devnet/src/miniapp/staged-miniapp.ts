import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildMiniapp } from "../house/build.ts";
import type { Instruments, Network } from "../network.ts";
import { registerBot } from "../processes/gateway.ts";
import { newInitDataSigner } from "../telegram/init-data.ts";
import { startMiniappHost } from "./serve-miniapp.ts";

const botId = 7_000_000_001;

/** A network, and the Mini App of one bot in its two builds, as Telegram would open them. */
export interface StagedMiniapp extends AsyncDisposable {
  readonly network: Network;
  readonly origin: string;
  /**
   * Builds and deploys.
   * @param policyFile the module whose policy a simulation build is for; the devnet's own when left out
   * @returns the address that Telegram opens for a person
   */
  open(build: "production" | "simulation", policyFile?: string): string;
}

/** @param start starts the network with what makes its gateway admit this page and these persons. */
export async function stageMiniapp(
  start: (instruments: Instruments) => Promise<Network>,
): Promise<StagedMiniapp> {
  const host = await startMiniappHost();
  const signer = newInitDataSigner();
  const folder = await mkdtemp(join(tmpdir(), "bombyx-miniapp-"));
  const network = await start({
    gatewayEnvironment: { BOMBYX_ORIGINS: host.origin, BOMBYX_INIT_DATA_KEYS: signer.publicKey },
  });
  await registerBot(network.state, botId);
  return {
    network,
    origin: host.origin,
    open(build, policyFile = network.state.path("policy.js")) {
      const out = join(folder, build);
      buildMiniapp(out, build === "simulation" ? policyFile : undefined);
      host.deploy({
        folder: join(out, "miniapp/dist"),
        gateway: network.gateway.url,
        chainEndpoints: network.policy.chainEndpoints,
        botId,
      });
      const initData = signer.sign({ botId, userId: 42, at: Date.now() });
      return `${host.origin}/#${new URLSearchParams({ tgWebAppData: initData })}`;
    },
    [Symbol.asyncDispose]: async () => {
      await network.stop();
      await host[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
