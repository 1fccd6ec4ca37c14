import type { Scenario } from "./scenario.ts";
import { scenarios as channel } from "./scenarios/channel.ts";
import { scenarios as claims } from "./scenarios/claims.ts";
import { scenarios as path } from "./scenarios/path.ts";
import { scenarios as registry } from "./scenarios/registry.ts";
import { scenarios as vault } from "./scenarios/vault.ts";

/** Every scenario, by the contract that it tries. */
export const suites: Record<string, readonly Scenario[]> = {
  "whole path": path,
  "client channel": channel,
  claims,
  vault,
  registry,
};
