import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { vaultMessages } from "@bombyx/contracts/vault-messages";
import { BombyxError } from "@bombyx/protocol/wire";
import { Address } from "@ton/core";
import { ConfigError } from "../config.ts";
import { settlementConfigSchema } from "./settlement-config.ts";
import { sponsorName } from "./sponsor-name.ts";

/** With a deposit; what is over comes back. */
const gasNano = 50_000_000n;
const mainnet = -239;

/** The message that deposits for a developer, as any wallet takes it. @throws BombyxError, ConfigError */
export function depositOrder(args: readonly string[], environment: NodeJS.ProcessEnv): string {
  const { values } = parseArgs({
    args: [...args],
    options: { developer: { type: "string" }, nano: { type: "string" }, json: { type: "boolean" } },
    strict: true,
  });
  const { developer, nano } = values;
  if (!developer || !nano || !/^[1-9][0-9]{0,18}$/.test(nano)) {
    throw new BombyxError("BAD_REQUEST", "deposit takes --developer NAME and --nano N, nanoTON in digits.");
  }
  const file = environment.BOMBYX_SETTLEMENT;
  if (!file) throw new ConfigError("BOMBYX_SETTLEMENT is not set: it names the vault.");
  const { vault, globalId } = settlementConfigSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  const to = Address.parseRaw(vault).toString({ bounceable: true, testOnly: globalId !== mainnet });
  const amountNano = BigInt(nano) + gasNano;
  const body = vaultMessages.sponsorDeposit(sponsorName(developer), BigInt(nano)).toBoc();
  const link = `ton://transfer/${to}?amount=${amountNano}&bin=${body.toString("base64url")}`;
  if (values.json) {
    return JSON.stringify({ to, amountNano: String(amountNano), body: body.toString("base64"), link });
  }
  return `${amountNano} nano to ${to}, with the body ${body.toString("base64")}\n${link}\nWhat is over ${nano} comes back.`;
}
