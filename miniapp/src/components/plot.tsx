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
}

/** Lines over time; uPlot is loaded only when one is shown, and drawn anew when theme or width change. */
export function Plot({ label, at, series, format = String, height = 160 }: PlotProps) {
  const host = useRef<HTMLDivElement>(null);
  const latest = useRef({ at, series, format });
  latest.current = { at, series, format };
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

const dataOf = ({ at, series }: Pick<PlotProps, "at" | "series">): uPlot.AlignedData => [
  at.map((ms) => ms / 1_000),
  ...series.map(({ values }) => [...values]),
];

/** As the device writes it. */
const timeOfDay = (seconds: number): string =>
  new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(
    seconds * 1_000,
  );

function optionsOf(
  element: HTMLElement,
  { series, format }: Pick<PlotProps, "series"> & { format: (value: number) => string },
  height: number,
): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
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
    scales: { y: { range: (_, least, most) => [Math.min(0, least), Math.max(4, most)] } },
    axes: [
      { ...axis, grid: { show: false }, size: 28, values: (_, seconds) => seconds.map(timeOfDay) },
      { ...axis, size: 44, values: (_, values) => values.map(format) },
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
