/** Where a command writes; `process.stdout` and `process.stderr` are such. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

const barCells = 24;

/** What a person sees of `bombyx-node`. With `--json` only the one line for programs. */
export class Screen {
  readonly #out: Output;
  readonly #error: Output;
  readonly #json: boolean;
  #bar: string | undefined;

  constructor(out: Output, error: Output, json: boolean) {
    this.#out = out;
    this.#error = error;
    this.#json = json;
  }

  line(text: string): void {
    this.#endBar();
    if (!this.#json) this.#out.write(`${text}\n`);
  }

  /** A step that is done: what, and how it turned out. */
  step(label: string, text: string): void {
    this.line(`✓ ${label.padEnd(10)}${text}`);
  }

  ready(value: Readonly<Record<string, unknown>>, text: string): void {
    if (this.#json) this.#out.write(`${JSON.stringify(value)}\n`);
    else this.line(text);
  }

  /** Something that a person must see, whatever the mode. */
  problem(text: string): void {
    this.#endBar();
    this.#error.write(`bombyx-node: ${text}\n`);
  }

  /** What a person can do about the problem before. */
  advice(text: string): void {
    this.#error.write(`  → ${text}\n`);
  }

  /** A bar on a terminal; elsewhere one line when it is full. */
  progress(label: string, fraction: number): void {
    if (this.#json) return;
    const full = Math.round(Math.min(Math.max(fraction, 0), 1) * barCells);
    const bar = `${label} [${"#".repeat(full)}${"-".repeat(barCells - full)}] ${Math.floor(fraction * 100)} %`;
    if (bar === this.#bar) return;
    if (this.#out.isTTY) this.#out.write(`\r${bar}`);
    else if (full === barCells && !this.#bar?.startsWith(label)) this.#out.write(`${label}: done\n`);
    if (this.#out.isTTY || full === barCells) this.#bar = bar;
    if (this.#out.isTTY && fraction >= 1) this.#endBar();
  }

  #endBar(): void {
    if (this.#bar !== undefined && this.#out.isTTY) this.#out.write("\n");
    this.#bar = undefined;
  }
}
