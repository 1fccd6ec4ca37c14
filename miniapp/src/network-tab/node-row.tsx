import type { NetworkNode } from "@bombyx/sdk/network";
import { Icon } from "../components/icon.tsx";
import { useLanguage, useText } from "../i18n/use-text.ts";
import { counted } from "../live/amounts.ts";
import { LoadBar } from "../live/figures.tsx";

/** One machine: its name, what it serves, and how busy it is. */
export function NodeRow({ node }: { node: NetworkNode }) {
  const t = useText();
  const language = useLanguage();
  const { running, slots, queued } = node;
  const load = t("network-load", { running, slots });
  return (
    <div className="row node-row" data-tone={node.state === "ready" ? "good" : "warn"}>
      <Icon name="chip" />
      <span className="row-text">
        <span>{node.name}</span>
        <small>
          {[
            node.model ?? t("network-no-model"),
            ...(slots > 0
              ? [t("network-tokens", { speed: counted(node.decodeTokensPerSecond, language) })]
              : []),
            ...(node.tee === "none" ? [t("network-open")] : []),
            ...(node.simulated === true ? [t("network-simulated")] : []),
          ].join(" · ")}
        </small>
        {slots > 0 && <LoadBar part={running} whole={slots} label={load} />}
      </span>
      <span className="row-value">
        {node.state === "ready" ? (
          <>
            {`${running}/${slots}`}
            {queued > 0 && <small> +{queued}</small>}
          </>
        ) : (
          t(`network-state-${node.state}`)
        )}
      </span>
    </div>
  );
}
