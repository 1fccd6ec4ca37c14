import type { Network } from "./use-network.ts";

/** One line of truth on who can read what; "simulated" comes from this device's own verdict. */
export function VerificationBadge({ network }: { network: Network }) {
  switch (network.state) {
    case "verifying":
      return <p className="badge">Verifying the machine…</p>;
    case "refused":
      return <p className="badge refused">Not verified</p>;
    case "verified":
      return network.verdict.simulated ? (
        <p
          className="badge simulated"
          title="The same checks ran, under a development root. Nobody should type a secret here."
        >
          Simulated hardware
        </p>
      ) : (
        <p className="badge verified">Verified machine</p>
      );
  }
}
