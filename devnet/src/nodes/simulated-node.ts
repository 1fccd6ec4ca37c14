/**
 * `bombyx-node` as shipped, but for hardware and chain: its quotes come from this devnet's simulated world,
 * its beacons from this devnet's clock. These come from the environment, all else from the node's own flags.
 */
import { runCli } from "@bombyx/node-agent";
import * as z from "zod";
import { SimulatedQuoteProvider } from "../simulation/simulated-quote-provider.ts";
import { readWorld } from "../simulation/world-file.ts";

const environment = z
  .object({
    DEVNET_WORLD: z.string().min(1),
    DEVNET_PLATFORM: z.string().min(1),
    DEVNET_CHAIN: z.string().transform((urls) => urls.split(",")),
  })
  .parse(process.env);

const world = await readWorld(environment.DEVNET_WORLD);
process.exitCode = await runCli(process.argv.slice(2), {
  quoteProvider: new SimulatedQuoteProvider(world, environment.DEVNET_PLATFORM, Date.now),
  chain: { name: world.policy().chain, endpoints: environment.DEVNET_CHAIN },
});
