import type { Screen } from "../screen.ts";
import { gramText } from "./gram.ts";
import type { SettlementStatus } from "./settlement-status.ts";

/** Tells a person what happens to the money. */
export function tellSettlement(status: SettlementStatus, screen: Screen): void {
  switch (status.state) {
    case "vault":
      if (!status.fresh) return;
      screen.step("Vault", `${status.vault} pays this node; compare it with what the operator publishes.`);
      if (status.account === undefined) {
        screen.problem("there is no --payout wallet: what this node earns cannot be claimed on chain.");
      } else screen.line(`           Your earnings are claimed from ${status.account}.`);
      return;
    case "held":
      screen.problem(`serves nothing for now: ${status.message}`);
      return;
    case "serving":
      screen.step("Serving", "again; nothing holds this node back any more.");
      return;
    case "proven":
      screen.step(
        "Proven",
        `epoch ${status.epoch} has ${gramText(status.earnedNano)} GRAM for this node; final in 24 hours at most.`,
      );
      return;
    case "final":
      screen.step(
        "Final",
        `${gramText(status.earnedNano)} GRAM up to epoch ${status.epoch}. See bombyx-node earnings.`,
      );
      return;
    case "disputed":
      screen.problem(
        `the root of epoch ${status.epoch} takes earnings of this node away; a dispute was sent to the vault (evidence: ${status.evidence === "final" ? "the last final root" : "the gateway's own signature"}).`,
      );
      return;
    case "upheld":
      screen.step("Upheld", `the root of epoch ${status.epoch}, which this node disputed, is gone.`);
      return;
    case "unfunded":
      screen.problem(
        `a root must be disputed, and the wallet for it is empty. Send ${gramText(status.neededNano)} GRAM to ${status.wallet} now; or send dispute.json of the --state folder with any wallet.`,
      );
      return;
    case "trouble":
      screen.problem(status.message);
  }
}
