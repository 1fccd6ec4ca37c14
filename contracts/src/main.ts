import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { compiled } from "./compiled.ts";
import { CommandError } from "./deploy/command-error.ts";
import { carryOut, type Plan, partsOf, planDeployment } from "./deploy/deployment.ts";
import { type Endpoint, openEndpoint } from "./deploy/endpoint.ts";
import { inspect } from "./deploy/inspect.ts";
import { readWallet } from "./deploy/paying-wallet.ts";
import { globalIds, parseTerms, type Terms } from "./deploy/terms.ts";
import { grams } from "./deploy/words.ts";

const usage = `npm run contracts -- build
npm run contracts -- deploy TERMS.json [--send]
npm run contracts -- inspect ADDRESS

build    compiles the Tolk sources into src/compiled.ts
deploy   says what a vault and a registry of these terms would cost at this network's prices; --send sends it
inspect  tells in words what a vault, registry, channel or node account holds

TERMS.json: {"network": "mainnet" | "testnet" | "devnet", "owner", "guardian", "committer": addresses,
             "releaseKeys": three addresses, "ackKey": 64 hex digits, "feeBps": 0..3000, "salt": integer}
TON_ENDPOINT: a toncenter-v2 API, e.g. https://testnet.toncenter.com/api/v2, or what \`npm start -- --json\` calls "ton"
TON_API_KEY: if that API wants one
WALLET_KEY_FILE: a file with the paying wallet's 24 words, or its seed as 64 hex digits (wallet V5R1)`;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const { TON_ENDPOINT, TON_API_KEY, WALLET_KEY_FILE } = process.env;

function endpoint(): Promise<Endpoint> {
  if (TON_ENDPOINT === undefined)
    throw new CommandError(
      "ENDPOINT_MISSING",
      "TON_ENDPOINT is not set: a toncenter-v2 API, e.g. https://testnet.toncenter.com/api/v2",
    );
  return openEndpoint(TON_ENDPOINT, TON_API_KEY);
}

function readTerms(file: string): Terms {
  try {
    return parseTerms(readFileSync(file, "utf8"));
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError("TERMS_INVALID", `${file} cannot be read`, error);
  }
}

/** Without TON_ENDPOINT: what follows from the terms alone. */
function tellAddresses(terms: Terms): void {
  for (const { name, address } of partsOf(terms))
    say(`${name}: ${address.toString({ testOnly: terms.network !== "mainnet" })}`);
}

function tellPlan({ endpoint: { url, globalId }, parts, cost, payer }: Plan, terms: Terms): void {
  say(`network ${terms.network} (${globalId}) at ${url}`);
  for (const { name, address, isThere, startNano } of parts) {
    const friendly = address.toString({ testOnly: terms.network !== "mainnet" });
    const code = `code ${compiled[name].hash}`;
    say(
      isThere
        ? `${name}: ${friendly} is there already, ${code}`
        : `${name}: ${friendly} starts with ${grams(startNano)}, ${code}`,
    );
  }
  if (payer !== undefined)
    say(`paid by ${payer.wallet.wallet.address}, which holds ${grams(payer.balanceNano)}`);
  say(
    `stays in the contracts: ${grams(cost.staysNano)}, five years' rent; of it their arrivals take ${grams(cost.arrivalNano)}`,
  );
  say(
    cost.walletNano === undefined
      ? "the wallet's transaction is estimated when WALLET_KEY_FILE names a wallet with money in it"
      : `the wallet's transaction, forwarding included, as the endpoint estimates it: ${grams(cost.walletNano)}`,
  );
  if (cost.walletNano !== undefined) say(`together: ${grams(cost.staysNano + cost.walletNano)}`);
}

async function deploy(file: string, send: boolean): Promise<void> {
  const terms = readTerms(file);
  if (TON_ENDPOINT === undefined && !send) {
    tellAddresses(terms);
    say("TON_ENDPOINT is not set: what it costs is the network's to say");
    return;
  }
  const wallet =
    WALLET_KEY_FILE === undefined ? undefined : await readWallet(WALLET_KEY_FILE, globalIds[terms.network]);
  const plan = await planDeployment(terms, await endpoint(), wallet);
  tellPlan(plan, terms);
  if (!send) {
    say("nothing was sent; --send does");
    return;
  }
  await carryOut(plan, () => setTimeout(1_000));
  say("both are there");
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { send: { type: "boolean", default: false }, help: { type: "boolean", default: false } },
});
const [command, argument] = positionals;
try {
  if (command === "build") {
    // Here, because the compiler takes a second to load.
    const { build } = await import("./build.ts");
    const { changed, compiled: made } = await build();
    for (const [name, { hash, code }] of made) say(`${name} ${hash} ${code.toBoc().length} bytes`);
    say(changed ? "compiled.ts was written" : "compiled.ts was up to date");
  } else if (command === "deploy" && argument !== undefined) await deploy(argument, values.send);
  else if (command === "inspect" && argument !== undefined) {
    for (const line of await inspect(await endpoint(), argument)) say(line);
  } else {
    say(usage);
    process.exitCode = values.help ? 0 : 2;
  }
} catch (error) {
  const words = error instanceof CommandError ? `${error.code}: ${error.message}` : String(error);
  process.stderr.write(`${words}\n`);
  process.exitCode = 1;
}
