import { useEffect, useRef } from "react";
import type uPlot from "uplot";
import "./plot.css";

export interface PlotSeries {
  readonly label: string;
  /** A colour of the palette. @default "--accent" */
  readonly colour?: `--${string}`;
  /** One value per instant; null where nothing was measured. */
  readonly values: readonly (number | null)[];
}

export interface PlotProps {
  /** What the plot shows, for people who do not see it. */
  readonly label: string;
  /** ms since epoch, ascending. */
  readonly at: readonly number[];
  readonly series: readonly PlotSeries[];
  /** Writes a value of the vertical axis. */
  readonly format?: (value: number) => string;
  /** px. @default 160 */
  readonly height?: number;
  /** What the horizontal axis tells apart. @default "time" */
  readonly ticks?: "time" | "day";
  /** The vertical axis reaches at least this far. @default 4 */
  readonly least?: number;
}

/** Lines over time; uPlot is loaded only when one is shown, and drawn anew when theme or width change. */
export function Plot({
  label,
  at,
  series,
  format = String,
  height = 160,
  ticks = "time",
  least = 4,
}: PlotProps) {
  const host = useRef<HTMLDivElement>(null);
  const latest = useRef({ at, series, format, ticks, least });
  latest.current = { at, series, format, ticks, least };
  const plot = useRef<uPlot>(undefined);
  const _shape = series.map((one) => `${one.label}${one.colour}`).join();

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    let gone = false;
    let draw: (() => void) | undefined;
    void Promise.all([import("uplot"), import("uplot/dist/uPlot.min.css")]).then(([{ default: UPlot }]) => {
      if (gone) return;
      draw = () => {
        plot.current?.destroy();
        plot.current = new UPlot(optionsOf(element, latest.current, height), dataOf(latest.current), element);
      };
      draw();
    });
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    const themed = new MutationObserver(() => draw?.());
    themed.observe(document.documentElement, { attributeFilter: ["data-scheme"] });
    return () => {
      gone = true;
      resized.disconnect();
      themed.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [height]);
  useEffect(() => plot.current?.setData(dataOf({ at, series })), [at, series]);

  return <div ref={host} className="plot" role="img" aria-label={label} />;
}

/** As wide as the longest label, about: small amounts have many digits. */
const widthOf = (_plot: uPlot, labels: readonly string[] | null): number =>
  Math.max(44, 12 + 6.5 * Math.max(0, ...(labels ?? []).map(({ length }) => length)));

const dataOf = ({ at, series }: Pick<PlotProps, "at" | "series">): uPlot.AlignedData => [
  at.map((ms) => ms / 1_000),
  ...series.map(({ values }) => [...values]),
];

/** As the device writes it; days are UTC's, as the network counts them. */
const written: Readonly<Record<NonNullable<PlotProps["ticks"]>, Intl.DateTimeFormatOptions>> = {
  time: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  day: { day: "numeric", month: "short", timeZone: "UTC" },
};

function optionsOf(
  element: HTMLElement,
  {
    series,
    format,
    ticks,
    least,
  }: Pick<PlotProps, "series"> & Required<Pick<PlotProps, "format" | "ticks" | "least">>,
  height: number,
): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const time = new Intl.DateTimeFormat(document.documentElement.lang || undefined, written[ticks]);
  const axis = {
    stroke: colour("--quiet"),
    font: "11px system-ui",
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height,
    legend: { show: false },
    cursor: { show: false },
    // Nothing but zeros is a line at the bottom, not the middle of a hundred.
    scales: { y: { range: (_, lowest, most) => [Math.min(0, lowest), Math.max(least, most)] } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 28,
        values: (_, seconds) => seconds.map((one) => time.format(one * 1_000)),
      },
      { ...axis, size: widthOf, values: (_, values) => values.map(format) },
    ],
    series: [
      {},
      ...series.map(({ label, colour: name = "--accent" }) => ({
        label,
        stroke: colour(name),
        fill: `${colour(name)}22`,
        width: 2,
        points: { show: false },
      })),
    ],
  };
}
