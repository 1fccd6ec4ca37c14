import type { Scenario } from "./scenario.ts";
import { scenarios as channel } from "./scenarios/channel.ts";
import { scenarios as claims } from "./scenarios/claims.ts";
import { scenarios as extraCurrencies } from "./scenarios/extra-currencies.ts";
import { scenarios as frozen } from "./scenarios/frozen.ts";
import { scenarios as inventions } from "./scenarios/inventions.ts";
import { scenarios as leastValues } from "./scenarios/least-values.ts";
import { scenarios as path } from "./scenarios/path.ts";
import { scenarios as registry } from "./scenarios/registry.ts";
import { scenarios as toTheNano } from "./scenarios/to-the-nano.ts";
import { scenarios as twoAtOnce } from "./scenarios/two-at-once.ts";
import { scenarios as vault } from "./scenarios/vault.ts";

/** Every scenario, by the contract that it tries. */
export const suites: Record<string, readonly Scenario[]> = {
  "whole path": path,
  "client channel": channel,
  claims,
  vault,
  registry,
  "two messages at once": twoAtOnce,
  "least values": leastValues,
  "to the nano": toTheNano,
  "other currencies": extraCurrencies,
  "frozen accounts": frozen,
  "invented attacks": inventions,
};
