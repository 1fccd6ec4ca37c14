import { Address, Cell } from "@ton/core";
import { ClientChannel } from "../client-channel/client-channel.ts";
import { compiled } from "../compiled.ts";
import { NodeAccount } from "../node-account/node-account.ts";
import { Registry } from "../registry/registry.ts";
import { Vault } from "../vault/vault.ts";
import { CommandError } from "./command-error.ts";
import type { Endpoint } from "./endpoint.ts";
import { tellAccount, tellChannel, tellRegistry, tellVault } from "./words.ts";

/**
 * What lies at an address, in words: which of the four contracts it is follows from its code.
 *
 * @throws {CommandError} ADDRESS_INVALID, NOT_THERE, NOT_OURS
 */
export async function inspect({ client, url }: Endpoint, text: string): Promise<string[]> {
  let address: Address;
  try {
    address = Address.parse(text);
  } catch (error) {
    throw new CommandError("ADDRESS_INVALID", `${text} is no address of TON`, error);
  }
  const { state, code, balance } = await client.getContractState(address);
  if (state !== "active" || code === null)
    throw new CommandError("NOT_THERE", `${text} is ${state} at ${url}: no contract is there`);
  const hash = Cell.fromBoc(code)[0]?.hash().toString("hex");
  const name = Object.entries(compiled).find(([, one]) => one.hash === hash)?.[0];
  const lines = async (): Promise<string[]> => {
    switch (name) {
      case "vault":
        return tellVault(await client.open(new Vault(address)).getVault(), balance);
      case "registry":
        return tellRegistry(await client.open(new Registry(address)).getRegistry(), balance);
      case "client-channel":
        return tellChannel(await client.open(new ClientChannel(address)).getChannel());
      case "node-account":
        return tellAccount(await client.open(new NodeAccount(address)).getAccount(), balance);
      default:
        throw new CommandError(
          "NOT_OURS",
          `the code at ${text} (hash ${hash}) is none of this version's four contracts`,
        );
    }
  };
  return [`${name} ${address} at ${url}`, ...(await lines())];
}
