import type { BombyxClient, Verdict } from "@bombyx/sdk";
import { useEffect, useState } from "react";
import type { LaunchParameters } from "../launch/launch-parameters.ts";
import { openNetwork } from "./open-network.ts";

/** What the page knows of the network; `refused` holds one sentence for a person. */
export type Network =
  | { readonly state: "verifying" }
  | { readonly state: "refused"; readonly reason: string; readonly message: string }
  | {
      readonly state: "verified";
      readonly client: BombyxClient;
      readonly model: string;
      readonly verdict: Verdict;
    };

/** Opens the network once per page: token, candidates, appraisal, session, before anything is typed. */
export function useNetwork(launch: LaunchParameters): Network {
  const [network, setNetwork] = useState<Network>({ state: "verifying" });
  useEffect(() => {
    let current = true;
    let opened: BombyxClient | undefined;
    void openNetwork(launch)
      .catch((error: unknown): Network => {
        const reason = error instanceof Error && "reason" in error ? String(error.reason) : "UNAVAILABLE";
        const message = error instanceof Error ? error.message : "The network cannot be reached.";
        return { state: "refused", reason, message };
      })
      .then((next) => {
        if (next.state === "verified") opened = next.client;
        if (current) setNetwork(next);
        else void opened?.close();
      });
    return () => {
      current = false;
      void opened?.close();
    };
  }, [launch]);
  return network;
}
