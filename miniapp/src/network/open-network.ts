import { readDeployment } from "../launch/deployment.ts";
import type { LaunchParameters } from "../launch/launch-parameters.ts";
import type { Network } from "./use-network.ts";

/**
 * The SDK (with libsodium) is loaded only here, so that the first paint does not wait for it.
 * @throws BombyxError or AttestationError when the network refuses or cannot be verified.
 */
export async function openNetwork(launch: LaunchParameters): Promise<Network> {
  const [{ BombyxClient, exchangeInitData }, { default: policy }, { gateway, botId }] = await Promise.all([
    import("@bombyx/sdk"),
    import("bombyx:policy"),
    readDeployment(),
  ]);
  const { token } = await exchangeInitData({ gateway, botId, initData: launch.initData });
  const client = new BombyxClient({ gateway, apiKey: token, policy });
  const { data: models } = await client.models.list();
  const model = models[0]?.id;
  if (!model) throw new Error("No model is being served right now. Try again in a minute.");
  const verdict = await client.prepare({ model });
  return { state: "verified", client, model, verdict };
}
