import { parseArgs } from "node:util";
import { BombyxError } from "@bombyx/protocol/wire";
import { Quarantine } from "../fleet/quarantine.ts";
import { sponsorAccount } from "../ledger/money.ts";
import { openLedger } from "../ledger/open-ledger.ts";
import { openStore } from "../store/open-store.ts";
import type { Accounts, ApiKeyInfo } from "./accounts.ts";
import { assertDeveloper } from "./names.ts";
import { openAccounts } from "./open-accounts.ts";

export interface AdminSurroundings {
  readonly dataDir: string;
  readonly stdout: { write(text: string): unknown };
  readonly now?: () => number;
}

const options = {
  developer: { type: "string" },
  owner: { type: "string" },
  label: { type: "string" },
  bot: { type: "string" },
  allowance: { type: "string" },
  nano: { type: "string" },
  key: { type: "string" },
  minutes: { type: "string" },
  json: { type: "boolean" },
} as const;
type Values = ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>["values"];

interface Admin {
  readonly accounts: Accounts;
  readonly quarantine: Quarantine;
  readonly values: Values;
  readonly argument: string | undefined;
  /** Moves the operator's money to a developer's sponsor account, once per key. */
  fund(deposit: { developer: string; key: string; nano: bigint }): Promise<Answer>;
}

/** What a command answers: one JSON object, or the lines that say the same. */
interface Answer {
  readonly json: Readonly<Record<string, unknown>>;
  readonly text: string;
}

export const adminUsage = `  keys create --developer NAME [--label TEXT] [--bot ID] [--allowance NANO]
  keys list [--developer NAME]
  keys revoke ID
  bots register --developer NAME --bot ID
  pairing create --owner NAME [--minutes N]
  sponsors fund --developer NAME --nano N --key KEY
  nodes quarantined
  nodes admit NODE
Each takes --json.`;

const commands: Readonly<Record<string, (admin: Admin) => Promise<Answer>>> = {
  "keys create": createKey,
  "keys list": listKeys,
  "keys revoke": revokeKey,
  "bots register": registerBot,
  "pairing create": createPairing,
  "sponsors fund": fundSponsor,
  "nodes quarantined": listQuarantined,
  "nodes admit": admitNode,
};

/** Is this a command for {@link runAdmin}? */
export const isAdminCommand = (argv: readonly string[]): boolean =>
  Object.keys(commands).some((name) => name.startsWith(`${argv[0]} `));

/**
 * The operator's commands; they work beside a running gateway.
 * @param argv without the program: `["keys", "create", "--developer", "acme"]`.
 * @throws BombyxError BAD_REQUEST naming the option, and what the accounts and the ledger refuse.
 */
export async function runAdmin(
  argv: readonly string[],
  { dataDir, stdout, now = Date.now }: AdminSurroundings,
): Promise<void> {
  const { values, positionals } = parse(argv);
  const [noun, verb, argument] = positionals;
  const command = commands[`${noun} ${verb}`];
  if (command === undefined)
    throw badRequest(`There is no command "${positionals.join(" ")}".\n${adminUsage}`);
  const store = openStore({ dataDir });
  try {
    const accounts = openAccounts({ store, now });
    const fund: Admin["fund"] = async ({ developer, key, nano }) => {
      const ledger = await openLedger({ dataDir });
      try {
        const account = sponsorAccount(developer);
        await ledger.deposit({ key, account, nano, at: now() });
        const { availableNano } = await ledger.balance(account);
        return {
          json: { account, availableNano: `${availableNano}` },
          text: `${account} has ${availableNano} nanoTON to spend.`,
        };
      } finally {
        await ledger.close();
      }
    };
    const quarantine = new Quarantine(store.db, now);
    const { json, text } = await command({ accounts, quarantine, values, argument, fund });
    stdout.write(values.json ? `${JSON.stringify(json)}\n` : `${text}\n`);
  } finally {
    await store.close();
  }
}

async function createKey({ accounts, values, fund }: Admin): Promise<Answer> {
  const developer = required(values, "developer");
  const { bot, label, allowance } = values;
  const funded =
    allowance === undefined
      ? undefined
      : await fund({
          developer: named(developer),
          key: `allowance:${developer}`,
          nano: nanoOf("allowance", allowance),
        });
  const { key, ...info } = await accounts.createApiKey({
    developer,
    ...(label !== undefined && { label }),
    ...(bot !== undefined && { botId: idOf("bot", bot) }),
  });
  return {
    json: { ...info, ...funded?.json, key },
    text: [`${key}`, "Keep it: it is shown once.", ...(funded ? [funded.text] : [])].join("\n"),
  };
}

async function listKeys({ accounts, values }: Admin): Promise<Answer> {
  const keys = await accounts.listApiKeys(values.developer);
  return { json: { keys }, text: keys.length === 0 ? "No keys." : keys.map(keyLine).join("\n") };
}

const keyLine = ({ id, prefix, developer, botId, label, revokedAt }: ApiKeyInfo): string =>
  [
    id,
    `${prefix}…`,
    developer,
    ...(botId === undefined ? [] : [`bot ${botId}`]),
    ...(label === "" ? [] : [label]),
    ...(revokedAt === undefined ? [] : [`revoked ${new Date(revokedAt).toISOString()}`]),
  ].join("  ");

async function revokeKey({ accounts, argument }: Admin): Promise<Answer> {
  if (argument === undefined) throw badRequest("keys revoke takes the id of a key, see keys list.");
  await accounts.revokeApiKey(argument);
  return { json: { id: argument, revoked: true }, text: `${argument} is revoked.` };
}

async function registerBot({ accounts, values }: Admin): Promise<Answer> {
  const developer = required(values, "developer");
  const botId = idOf("bot", required(values, "bot"));
  await accounts.registerBot({ developer, botId });
  return { json: { developer, botId }, text: `Bot ${botId} is ${developer}'s.` };
}

async function createPairing({ accounts, values }: Admin): Promise<Answer> {
  const name = required(values, "owner");
  const owner = name.includes(":") ? name : `owner:${named(name)}`;
  const { minutes } = values;
  const { code, expiresAt } = await accounts.createPairingCode({
    owner,
    ...(minutes !== undefined && { validForMs: idOf("minutes", minutes) * 60_000 }),
  });
  return {
    json: { code, owner, expiresAt },
    text: `${code}\nFor one node, until ${new Date(expiresAt).toISOString()}: bombyx-node --pair ${code}`,
  };
}

async function listQuarantined({ quarantine }: Admin): Promise<Answer> {
  const nodes = await quarantine.all();
  const line = ({ node, at, reason }: (typeof nodes)[number]) =>
    [node, new Date(at).toISOString(), reason].join("  ");
  return {
    json: { nodes },
    text: nodes.length === 0 ? "No node is quarantined." : nodes.map(line).join("\n"),
  };
}

async function admitNode({ quarantine, argument }: Admin): Promise<Answer> {
  if (argument === undefined) throw badRequest("nodes admit takes the id of a node, see nodes quarantined.");
  if (!(await quarantine.lift(argument))) {
    throw new BombyxError("NOT_FOUND", `No node ${argument} is quarantined.`, { field: "node" });
  }
  return { json: { node: argument, admitted: true }, text: `${argument} may link again.` };
}

function fundSponsor({ values, fund }: Admin): Promise<Answer> {
  return fund({
    developer: named(required(values, "developer")),
    key: required(values, "key"),
    nano: nanoOf("nano", required(values, "nano")),
  });
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true });
  } catch (cause) {
    throw badRequest(`${cause instanceof Error ? cause.message : cause}\n${adminUsage}`);
  }
}

function required(values: Values, option: "developer" | "owner" | "bot" | "nano" | "key"): string {
  const value = values[option];
  if (value === undefined || value === "") throw badRequest(`--${option} is missing.`, `--${option}`);
  return value;
}

function named(developer: string): string {
  assertDeveloper(developer);
  return developer;
}

function idOf(option: string, text: string): number {
  if (!/^[1-9][0-9]{0,15}$/.test(text)) {
    throw badRequest(`--${option} takes a whole number above 0, not ${JSON.stringify(text)}.`, `--${option}`);
  }
  return Number(text);
}

function nanoOf(option: string, text: string): bigint {
  if (!/^[0-9]{1,18}$/.test(text)) {
    throw badRequest(
      `--${option} takes nanoTON in decimal digits, not ${JSON.stringify(text)}.`,
      `--${option}`,
    );
  }
  return BigInt(text);
}

const badRequest = (message: string, field?: string) =>
  new BombyxError("BAD_REQUEST", message, field === undefined ? {} : { field });
