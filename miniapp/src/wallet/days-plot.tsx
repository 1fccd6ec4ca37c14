import { Plot, type PlotSeries } from "../components/plot.tsx";
import { useLanguage } from "../i18n/use-text.ts";
import { coins } from "../live/amounts.ts";

const nanoPerMilli = 1_000_000;
const dayMs = 24 * 3_600_000;

export interface DayAmounts {
  readonly label: string;
  readonly colour?: PlotSeries["colour"];
  /** nanoTON of each day. */
  readonly nano: readonly bigint[];
}

/** Amounts per day (UTC), in GRAM on the axis; every day has its place. */
export function DaysPlot({
  title,
  label,
  days,
  amounts,
}: {
  title: string;
  label: string;
  /** ms at 00:00 UTC, ascending. */
  days: readonly number[];
  amounts: readonly DayAmounts[];
}) {
  const language = useLanguage();
  const series = amounts.map(({ label: name, colour, nano }) => ({
    label: name,
    ...(colour && { colour }),
    values: nano.map((value) => Number(value)),
  }));
  return (
    <section className="plot-card">
      <header>
        <h2>{title}</h2>
        {amounts.length > 1 && (
          <ul className="plot-legend">
            {amounts.map(({ label: name, colour = "--accent" }) => (
              <li key={name} data-colour={colour}>
                {name}
              </li>
            ))}
          </ul>
        )}
      </header>
      <Plot
        label={label}
        at={days}
        series={series}
        ticks="day"
        least={nanoPerMilli / 1_000}
        format={(value) => (value === 0 ? "0" : coins(BigInt(Math.round(value)), language))}
        height={140}
      />
    </section>
  );
}

/** The last `count` days up to `now`, each at 00:00 UTC. */
export function lastDays(now: number, count: number): number[] {
  const today = now - (now % dayMs);
  return Array.from({ length: count }, (_, back) => today - (count - 1 - back) * dayMs);
}
