import { readFile } from "node:fs/promises";
import { ReceiptError, verifyReceiptFile } from "./verify-receipt.ts";

/** The part of `process` that the command uses. */
export interface Output {
  readonly stdout: { write(text: string): unknown };
}

export const receiptHelp = `  bombyx receipt verify FILE
      Judges one charge without a network: that the node whose statement is in the file signed it, and that units, price
      and charge follow from what it says. Prints one JSON object: exit 0 it holds, 1 it does not, 2 wrong usage.

      FILE   of client.receipt(id), of GET /v1/receipts/ID at the proxy, or of GET /v1/account/receipts/ID at the gateway
`;

const largestBytes = 1024 * 1024;

/** @returns the exit code: 0, 1 (it does not hold) or 2 (wrong usage). */
export async function receiptCommand(args: readonly string[], shell: Output): Promise<number> {
  const print = (value: object) => shell.stdout.write(`${JSON.stringify(value)}\n`);
  const [command, file, ...rest] = args;
  if (command === "--help" || command === "-h") {
    shell.stdout.write(receiptHelp);
    return 0;
  }
  if (command !== "verify" || file === undefined || rest.length > 0) {
    print({
      ok: false,
      code: "USAGE",
      check: "usage",
      message: "receipt takes verify FILE. See bombyx receipt --help.",
    });
    return 2;
  }
  let value: unknown;
  try {
    const bytes = await readFile(file);
    if (bytes.length > largestBytes) throw new RangeError(`it has more than ${largestBytes} bytes`);
    value = JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    print({ ok: false, code: "USAGE", check: "usage", message: `${file} cannot be read as JSON: ${why}.` });
    return 2;
  }
  try {
    const { costNano, model, ack, ...said } = await verifyReceiptFile(value);
    print({
      ok: true,
      ...said,
      model: model ?? null,
      costNano: costNano?.toString() ?? null,
      ack: ack ?? null,
    });
    return 0;
  } catch (error) {
    const check = error instanceof ReceiptError ? error.check : "format";
    const message = error instanceof Error ? error.message : String(error);
    print({ ok: false, code: "RECEIPT_INVALID", check, message });
    return 1;
  }
}
