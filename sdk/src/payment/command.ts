import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { BombyxError, type SettlementJson, settlementSchema } from "@bombyx/protocol/wire";
import { GatewayHttp } from "../gateway/gateway-http.ts";
import type { Order } from "../ton/order.ts";
import { fileStore } from "./file-store.ts";
import { VoucherSigner } from "./voucher-signer.ts";

interface Output {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

export const channelHelp = `  bombyx channel new FILE --gateway URL --owner ADDRESS --amount GRAM [--salt N] [--allow-http] [--json]
      Makes a voucher key in FILE and prints the transfer by which the owner's wallet opens and funds the channel.
      What can be lost is what is signed: everything else comes back to the owner's wallet, 72 h after asking.

  bombyx channel show FILE [--json]
      The channel, what its receipts say that was spent, and what was signed.

  bombyx channel rotate FILE [--json]
      Makes the next voucher key and prints the transfer that gives it to the channel.

  Pay by it: bombyx proxy --channel FILE. These need @bombyx/contracts and @ton/core beside the SDK.
`;

const nanoPerGram = 1_000_000_000n;

/** @returns the exit code: 0, 1 (failed) or 2 (wrong usage). */
export async function channelCommand(args: readonly string[], output: Output): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        gateway: { type: "string" },
        owner: { type: "string" },
        amount: { type: "string" },
        salt: { type: "string" },
        "allow-http": { type: "boolean", default: false },
        json: { type: "boolean", default: false },
      },
    });
    const [command, file, ...more] = positionals;
    if (file === undefined || more.length > 0)
      throw usage("channel takes new, show or rotate, and one FILE.");
    if (command === "new") print(output, values.json, await made(file, values));
    else if (command === "show") print(output, values.json, await shown(file));
    else if (command === "rotate") print(output, values.json, await rotated(file));
    else throw usage("channel takes new, show or rotate.");
    return 0;
  } catch (error) {
    output.stderr.write(`bombyx: ${error instanceof Error ? error.message : String(error)}\n`);
    const isUsage =
      (error instanceof BombyxError && error.code === "BAD_REQUEST") ||
      (error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS"));
    return isUsage ? 2 : 1;
  }
}

async function made(
  file: string,
  { gateway, owner, amount, salt, "allow-http": allowHttp }: Record<string, string | boolean | undefined>,
): Promise<Record<string, string>> {
  if (typeof gateway !== "string") throw usage("--gateway URL is missing.");
  if (typeof owner !== "string")
    throw usage("--owner ADDRESS is missing: the wallet that pays in and gets back.");
  const nano = nanoOf(amount);
  const { channelIdentity, openChannelOrder } = await tonDoor();
  const { globalId, vault } = await settlementAt(gateway, allowHttp === true);
  let identity: ReturnType<typeof channelIdentity>;
  try {
    identity = channelIdentity({
      globalId,
      vault,
      owner,
      salt: typeof salt === "string" ? salt : randomBytes(8).readBigUInt64BE().toString(),
    });
  } catch {
    throw usage(`--owner takes an address of the basechain and --salt 64 bits; ${owner} is none.`);
  }
  const signer = await VoucherSigner.create(identity, fileStore(file));
  const { voucherKey } = signer;
  await signer.close();
  const transfer = await transferLink(openChannelOrder(identity, voucherKey, nano), globalId);
  const { channel } = identity;
  return { channel, vault, network: String(globalId), voucherKey, file, transfer };
}

async function shown(file: string): Promise<Record<string, string>> {
  const state = await fileStore(file).read();
  if (!state)
    throw new BombyxError("NOT_FOUND", `There is no channel in ${file}: bombyx channel new makes one.`);
  const { channel, vault, owner, globalId, checkedNano, signedNano, expected } = state;
  return {
    channel,
    vault,
    owner,
    network: String(globalId),
    checkedNano,
    signedNano,
    receiptsOutstanding: String(expected.length),
  };
}

async function rotated(file: string): Promise<Record<string, string>> {
  const { rotateKeyOrder } = await tonDoor();
  const signer = await VoucherSigner.open(fileStore(file));
  try {
    const nextVoucherKey = await signer.rotate();
    const { channel, globalId } = signer.identity;
    const transfer = await transferLink(rotateKeyOrder(channel, nextVoucherKey), globalId);
    return { channel, nextVoucherKey, transfer };
  } finally {
    await signer.close();
  }
}

/** The gateway's word for where it settles suffices: a wrong vault gets no more than what is signed for it. */
async function settlementAt(gateway: string, allowHttp: boolean): Promise<SettlementJson> {
  const http = new GatewayHttp({ url: gateway, allowHttp });
  return await http.json(settlementSchema, "v1/settlement");
}

async function tonDoor(): Promise<typeof import("../ton/index.ts")> {
  try {
    return await import("../ton/index.ts");
  } catch (cause) {
    throw new BombyxError("NOT_FOUND", "Install @bombyx/contracts and @ton/core beside @bombyx/sdk first.", {
      cause,
    });
  }
}

/** A link that wallets know: address, amount, message and what the contract begins with. */
async function transferLink({ to, attachNano, body, init }: Order, globalId: number): Promise<string> {
  const { Address, beginCell, storeStateInit } = await import("@ton/core");
  const address = Address.parseRaw(to).toString({ bounceable: true, testOnly: globalId !== -239 });
  const boc = (cell: typeof body) => cell.toBoc().toString("base64url");
  const query = new URLSearchParams({ amount: attachNano.toString(), bin: boc(body) });
  if (init) query.set("init", boc(beginCell().store(storeStateInit(init)).endCell()));
  return `ton://transfer/${address}?${query}`;
}

function nanoOf(amount: string | boolean | undefined): bigint {
  const [, whole, part = ""] = /^(\d{1,9})(?:\.(\d{1,9}))?$/.exec(String(amount ?? "")) ?? [];
  if (whole === undefined) throw usage("--amount takes GRAM, such as 5 or 0.25.");
  const nano = BigInt(whole) * nanoPerGram + BigInt(part.padEnd(9, "0"));
  if (nano < 20_000_000n)
    throw usage("--amount is at least 0.02 GRAM: fees and the channel's rent come off it.");
  return nano;
}

function print({ stdout }: Output, json: boolean | undefined, answer: Record<string, string>): void {
  if (json) stdout.write(`${JSON.stringify(answer)}\n`);
  else for (const [name, value] of Object.entries(answer)) stdout.write(`${name.padEnd(20)}${value}\n`);
}

const usage = (message: string): BombyxError =>
  new BombyxError("BAD_REQUEST", `${message} See bombyx --help.`, { field: "argv" });
