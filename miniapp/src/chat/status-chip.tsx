import { Icon } from "../components/icon.tsx";
import { useText } from "../i18n/use-text.ts";
import type { ConnectionState } from "../network/connection.ts";

/** One line of truth on who can read what; "simulated" comes from this device's own verdict. */
export function StatusChip({ network, onOpen }: { network: ConnectionState; onOpen: () => void }) {
  const t = useText();
  const { tone, icon, words } = chipOf(network);
  return (
    <div className="status-chip-line">
      <button type="button" className="status-chip" data-tone={tone} onClick={onOpen}>
        <Icon name={icon} size={16} />
        <span aria-live="polite">{t(words)}</span>
        <Icon name="chevron" size={16} />
      </button>
    </div>
  );
}

function chipOf(network: ConnectionState) {
  switch (network.phase) {
    case "opening":
      return { tone: "plain", icon: "clock", words: "chip-opening" } as const;
    case "refused":
      return { tone: "danger", icon: "alert", words: "chip-refused" } as const;
    case "sealed":
      if (network.proof.verdict.tee === "none")
        return { tone: "danger", icon: "alert", words: "chip-open" } as const;
      return network.proof.verdict.simulated
        ? ({ tone: "warn", icon: "lock", words: "chip-simulated" } as const)
        : ({ tone: "good", icon: "lock", words: "chip-sealed" } as const);
  }
}
