import { Cell, type TupleItem } from "@ton/core";
import * as z from "zod";

/** A stack as toncenter's v2 API takes it: ["num", "0x…" or decimal], ["tvm.Cell" | "tvm.Slice" | "tvm.Builder", base64]. */
export const stackSchema = z
  .array(z.tuple([z.string(), z.union([z.string(), z.number(), z.object({ bytes: z.string() })])]))
  .max(255)
  .transform((entries, context): TupleItem[] =>
    entries.flatMap(([type, value]): TupleItem[] => {
      try {
        return [entry(type, value)];
      } catch (error) {
        context.addIssue(`${type}: ${error instanceof Error ? error.message : String(error)}`);
        return [];
      }
    }),
  );

function entry(type: string, value: string | number | { bytes: string }): TupleItem {
  if (type === "num" || type === "number" || type === "int") {
    const text = String(value);
    return { type: "int", value: text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text) };
  }
  const cell = Cell.fromBase64(typeof value === "object" ? value.bytes : String(value));
  const kind = type.replace(/^tvm\./, "").toLowerCase();
  if (kind === "cell" || kind === "slice" || kind === "builder") return { type: kind, cell };
  throw new Error("expected num, tvm.Cell, tvm.Slice or tvm.Builder");
}

const bytes = (cell: Cell) => ({ bytes: cell.toBoc().toString("base64") });

/** As toncenter answers; an empty list stands for null. */
export function packStack(stack: readonly TupleItem[]): unknown[] {
  return stack.map((item) => {
    switch (item.type) {
      case "int":
        return ["num", item.value < 0n ? `-0x${(-item.value).toString(16)}` : `0x${item.value.toString(16)}`];
      case "cell":
      case "slice":
      case "builder":
        return [item.type, bytes(item.cell)];
      case "tuple":
        return ["tuple", { "@type": "tvm.tuple", elements: item.items.map(element) }];
      case "nan":
        return ["num", "NaN"];
      default:
        return ["list", { "@type": "tvm.list", elements: [] }];
    }
  });
}

function element(item: TupleItem): unknown {
  switch (item.type) {
    case "int":
      return {
        "@type": "tvm.stackEntryNumber",
        number: { "@type": "tvm.numberDecimal", number: String(item.value) },
      };
    case "cell":
      return { "@type": "tvm.stackEntryCell", cell: { "@type": "tvm.cell", ...bytes(item.cell) } };
    case "slice":
    case "builder":
      return { "@type": "tvm.stackEntrySlice", slice: { "@type": "tvm.slice", ...bytes(item.cell) } };
    case "tuple":
      return {
        "@type": "tvm.stackEntryTuple",
        tuple: { "@type": "tvm.tuple", elements: item.items.map(element) },
      };
    default:
      return { "@type": "tvm.stackEntryList", list: { "@type": "tvm.list", elements: [] } };
  }
}
