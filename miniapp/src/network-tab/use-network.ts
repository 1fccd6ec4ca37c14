import { type Network, NetworkClient, type NetworkMinute } from "@bombyx/sdk/network";
import { readDeployment } from "../launch/deployment.ts";
import { type Live, useLive } from "../live/use-live.ts";

let client: Promise<NetworkClient> | undefined;

/** The gateway's public door; asked without a credential. */
function networkClient(): Promise<NetworkClient> {
  client ??= readDeployment()
    .then(({ gateway }) => new NetworkClient({ gateway }))
    .catch((error: unknown) => {
      client = undefined;
      throw error;
    });
  return client;
}

const now = async (signal: AbortSignal): Promise<Network> => (await networkClient()).now({ signal });
const history = async (signal: AbortSignal): Promise<readonly NetworkMinute[]> =>
  (await networkClient()).history({ signal });

export const useNetwork = (everyMs = 2_000): Live<Network> => useLive(now, everyMs);
export const useHistory = (): Live<readonly NetworkMinute[]> => useLive(history, 30_000);
