import { beginCell, Cell, loadMessage, type Message, storeMessage } from "@ton/core";

/** Bytes that are no message for this chain; says what is wrong with them. */
export class BadMessage extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "BadMessage";
  }
}

export interface ExternalMessage {
  readonly cell: Cell;
  readonly message: Message & { readonly info: { readonly type: "external-in" } };
  /** Hash in the normalised form (TEP-467), hex: the same however the sender packed it. */
  readonly normalised: string;
}

const largest = 65_536;

/** @throws {BadMessage} */
export function readExternalMessage(boc: Uint8Array): ExternalMessage {
  if (boc.length > largest)
    throw new BadMessage(`the BoC has ${boc.length} bytes; a message has ${largest} at most`);
  let cells: Cell[];
  try {
    cells = Cell.fromBoc(Buffer.from(boc));
  } catch (cause) {
    throw new BadMessage(`cannot parse the BoC: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  const [cell] = cells;
  if (cell === undefined || cells.length !== 1)
    throw new BadMessage(`the BoC has ${cells.length} roots; a message has one`);
  let message: Message;
  try {
    message = loadMessage(cell.beginParse());
  } catch (cause) {
    throw new BadMessage(`the cell is no message: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  if (message.info.type !== "external-in")
    throw new BadMessage("only a message from outside (ext_in_msg_info) can be sent to a chain");
  if (message.info.dest.workChain !== 0)
    throw new BadMessage(
      `this chain has workchain 0 only, the message goes to ${message.info.dest.workChain}`,
    );
  return { cell, message: message as ExternalMessage["message"], normalised: normalisedHash(message) };
}

/** Hex. Source and import fee empty, no StateInit, the body in a reference. */
export function normalisedHash(message: Message): string {
  const { dest } = message.info;
  return beginCell()
    .storeUint(2, 2)
    .storeUint(0, 2)
    .storeAddress(dest as Parameters<ReturnType<typeof beginCell>["storeAddress"]>[0])
    .storeCoins(0)
    .storeBit(false)
    .storeBit(true)
    .storeRef(message.body)
    .endCell()
    .hash()
    .toString("hex");
}

export const packMessage = (message: Message): Cell => beginCell().store(storeMessage(message)).endCell();
