import type { Hold } from "./serve-gate.ts";

/** What a person who watches the node is told about its money. Addresses as screens show them. */
export type SettlementStatus =
  | {
      readonly state: "vault";
      readonly vault: string;
      /** The NodeAccount; undefined without a payout wallet. */
      readonly account: string | undefined;
      /** Seen for the first time, and fixed from now on. */
      readonly fresh: boolean;
    }
  | ({ readonly state: "held" } & Hold)
  /** Nothing holds it back any more. */
  | { readonly state: "serving" }
  | { readonly state: "proven"; readonly epoch: number; readonly earnedNano: bigint }
  | { readonly state: "final"; readonly epoch: number; readonly earnedNano: bigint }
  | { readonly state: "disputed"; readonly epoch: number; readonly evidence: "final" | "ack" }
  /** The root that this node disputed is gone from the chain. */
  | { readonly state: "upheld"; readonly epoch: number }
  | { readonly state: "unfunded"; readonly wallet: string; readonly neededNano: bigint }
  | { readonly state: "trouble"; readonly message: string };
