import type { ChannelView } from "../client-channel/client-channel.ts";
import { type RegistryView, registrySlots } from "../registry/registry.ts";
import type { VaultView } from "../vault/vault.ts";

/** Nano as GRAM, exactly. */
export function grams(nano: bigint): string {
  const sign = nano < 0n ? "-" : "";
  const digits = (nano < 0n ? -nano : nano).toString().padStart(10, "0");
  const fraction = digits.slice(-9).replace(/0+$/, "");
  return `${sign}${digits.slice(0, -9)}${fraction === "" ? "" : `.${fraction}`} GRAM`;
}

const moment = (at: number): string => new Date(at).toISOString();
const hash = (value: bigint): string => value.toString(16).padStart(64, "0");

/** A vault in words, a line each. */
export function tellVault(view: VaultView, balanceNano: bigint): string[] {
  const { finalRoot, pendingRoot, announced } = view;
  return [
    `balance ${grams(balanceNano)}, owed ${grams(view.owedNano)}`,
    `paid to nodes ${grams(view.paidNano)} of ${grams(finalRoot?.committedNano ?? 0n)} final; credit ${grams(view.nodesCreditNano)}`,
    `the operator may announce ${grams(view.withdrawableNano)}; fee ${view.feeBps / 100} %`,
    finalRoot === undefined
      ? "no final root"
      : `final: epoch ${finalRoot.epoch}, ${finalRoot.requests} requests, ${finalRoot.units} units`,
    pendingRoot === undefined
      ? "no root pending"
      : `pending: epoch ${pendingRoot.epoch} since ${moment(view.pendingSinceAt)}, ${grams(pendingRoot.committedNano)}`,
    announced === undefined
      ? "nothing announced"
      : `announced ${moment(announced.announcedAt)}: withdrawal ${grams(announced.withdrawalNano)}, owner ${announced.owner}, guardian ${announced.guardian}`,
    `owner ${view.owner}, guardian ${view.guardian}`,
    `committer ${view.committer}, ack key ${view.ackKey.toString("hex")}`,
  ];
}

/** A registry in words. */
export function tellRegistry(view: RegistryView, balanceNano: bigint): string[] {
  const slotName = (slot: number): string =>
    Object.entries(registrySlots).find(([, number]) => number === slot)?.[0] ?? `entry ${slot}`;
  return [
    `balance ${grams(balanceNano)}`,
    view.paused ? "paused: clients serve nobody" : "not paused",
    `minimum version ${view.minVersion}, ${view.denied.size} hashes denied`,
    ...[...view.documents].map(([slot, value]) => `${slotName(slot)}: ${hash(value)}`),
    ...[...view.proposals].map(
      ([slot, { value, proposedAt, approvals }]) =>
        `proposed for ${slotName(slot)} ${moment(proposedAt)}: ${hash(value)}, ${approvals} approvals`,
    ),
    `owner ${view.owner}, guardian ${view.guardian}`,
    `release keys ${view.releaseKeys.join(", ")}`,
  ];
}

/** A channel in words. */
export function tellChannel(view: ChannelView): string[] {
  return [
    `${view.state}, balance ${grams(view.balanceNano)}, redeemed ${grams(view.redeemedNano)}`,
    view.closesAt === undefined ? "not closing" : `the owner may withdraw from ${moment(view.closesAt)}`,
    `voucher key ${view.voucherKey?.toString("hex") ?? "none"}`,
    `owner ${view.owner}, vault ${view.vault}, salt ${view.salt}`,
  ];
}

/** A node account in words. */
export function tellAccount(
  view: {
    readonly owner: unknown;
    readonly vault: unknown;
    readonly nodeId: bigint;
    readonly claimedNano: bigint;
  },
  balanceNano: bigint,
): string[] {
  return [
    `claimed ${grams(view.claimedNano)}, balance ${grams(balanceNano)}`,
    `node ${hash(view.nodeId)}`,
    `owner ${view.owner}, vault ${view.vault}`,
  ];
}
