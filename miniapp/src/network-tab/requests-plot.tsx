import type { Network, NetworkMinute } from "@bombyx/sdk/network";
import { useMemo, useState } from "react";
import { Plot } from "../components/plot.tsx";
import { useLanguage, useText } from "../i18n/use-text.ts";
import { counted } from "../live/amounts.ts";
import { useHistory } from "./use-network.ts";

const minuteMs = 60_000;
const spans = { hour: 60, day: 24 * 60 } as const;

/** Requests per minute, of the last hour or day; the running minute is its last point. */
export function RequestsPlot({ network }: { network: Network }) {
  const t = useText();
  const language = useLanguage();
  const [span, setSpan] = useState<keyof typeof spans>("hour");
  const { value: history } = useHistory();
  const { minute } = network;
  // A minute that has just ended comes into the history a little later.
  const [seen] = useState(() => new Map<number, NetworkMinute>());
  seen.set(minute.at, minute);
  const { at, values } = useMemo(
    () => minutesOf([...seen.values(), ...(history ?? [])], minute, spans[span]),
    [seen, history, minute, span],
  );
  const series = useMemo(() => [{ label: "requests", values }], [values]);
  return (
    <section className="plot-card">
      <header>
        <h2>{t("network-plot")}</h2>
        <fieldset className="choice" aria-label={t("network-span")}>
          {(["hour", "day"] as const).map((one) => (
            <button key={one} type="button" aria-pressed={span === one} onClick={() => setSpan(one)}>
              {t(`network-span-${one}`)}
            </button>
          ))}
        </fieldset>
      </header>
      <Plot
        label={t("network-plot-words", {
          last: minute.requests,
          most: Math.max(0, ...values),
        })}
        at={at}
        series={series}
        format={(value) => (Number.isInteger(value) ? counted(value, language) : "")}
        height={140}
      />
    </section>
  );
}

/** Every minute has its place; while there was no gateway, nothing was served. */
export function minutesOf(
  history: readonly NetworkMinute[],
  running: NetworkMinute,
  minutes: number,
): { at: number[]; values: number[] } {
  const known = new Map<number, number>();
  for (const { at, requests } of [...history, running]) known.set(at, Math.max(known.get(at) ?? 0, requests));
  const last = running.at - (running.at % minuteMs);
  const at = Array.from({ length: minutes }, (_, n) => last - (minutes - 1 - n) * minuteMs);
  return { at, values: at.map((instant) => known.get(instant) ?? 0) };
}
