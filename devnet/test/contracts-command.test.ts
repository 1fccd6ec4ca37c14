import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { codeOf } from "@bombyx/contracts/code";
import { Vault } from "@bombyx/contracts/vault";
import type { Address } from "@ton/core";
import { keyPairFromSeed, mnemonicNew } from "@ton/crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { globalId } from "../src/chain/chain-server.ts";
import { walletOf } from "../src/chain/settlement/operator-keys.ts";
import { gram, localTon, type TestTon } from "./local-ton.ts";
import "./patience.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

interface Ended {
  readonly code: number;
  readonly said: string;
  readonly complained: string;
}

/** `npm run contracts -- …` as a person runs it, against the chain over HTTP. */
function contracts(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ["-C", "bombyx-source", "contracts/src/main.ts", ...args],
      { cwd: root, env: { PATH: process.env.PATH ?? "", ...env } },
      (error, said, complained) =>
        resolve({ code: typeof error?.code === "number" ? error.code : error ? 1 : 0, said, complained }),
    );
  });
}

describe("npm run contracts", () => {
  let chain: TestTon;
  let folder: string;
  const seed = randomBytes(32);
  const payer = walletOf(keyPairFromSeed(seed), globalId);
  const salt = randomBytes(4).readUInt32BE();
  let terms: Record<string, unknown>;
  let env: Record<string, string>;

  const write = async (name: string, content: unknown): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
    return path;
  };

  beforeAll(async () => {
    chain = await localTon("over HTTP");
    folder = await mkdtemp(join(tmpdir(), "bombyx-contracts-"));
    const { operator } = chain.settlement;
    const text = ({ wallet: { address } }: { wallet: { address: Address } }) => address.toString();
    terms = {
      network: "devnet",
      owner: text(operator.owner),
      guardian: text(operator.guardian),
      committer: text(operator.committer),
      releaseKeys: operator.release.map(text),
      ackKey: operator.ack.publicKey.toString("hex"),
      feeBps: 1_000,
      salt,
    };
    env = { TON_ENDPOINT: chain.url, WALLET_KEY_FILE: await write("key", seed.toString("hex")) };
  });
  afterAll(async () => {
    await chain[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const vaultOf = (given: typeof terms): Vault => {
    const { operator } = chain.settlement;
    return Vault.fromTerms(
      {
        owner: operator.owner.wallet.address,
        guardian: operator.guardian.wallet.address,
        committer: operator.committer.wallet.address,
        ackKey: operator.ack.publicKey,
        feeBps: Number(given.feeBps),
        salt: BigInt(Number(given.salt)),
      },
      codeOf("vault"),
      { clientChannel: codeOf("client-channel"), nodeAccount: codeOf("node-account") },
    );
  };

  it("deploys what its dry run said, for what that said, and shows it", async () => {
    const { ton } = chain;
    const file = await write("terms.json", terms);
    const vault = vaultOf(terms);
    await ton.faucet(payer.wallet.address, gram(3));

    const dry = await contracts(["deploy", file], env);
    expect(dry).toMatchObject({ code: 0, complained: "" });
    expect(dry.said).toContain(`network devnet (${globalId}) at ${chain.url}`);
    expect(dry.said).toContain(vault.address.toString({ testOnly: true }));
    expect(dry.said).toContain("nothing was sent; --send does");
    expect(dry.said).not.toContain(seed.toString("hex"));
    expect(ton.balance(vault.address)).toBe(0n);
    const [, together] = /together: ([\d.]+) GRAM/.exec(dry.said) ?? [];
    const said = Math.round(Number(together) * 1e9);

    const before = ton.balance(payer.wallet.address);
    const sent = await contracts(["deploy", file, "--send"], env);
    expect(sent).toMatchObject({ code: 0, complained: "" });
    expect(sent.said).toContain("both are there");
    const spent = Number(before - ton.balance(payer.wallet.address));
    // The wallet's first transaction also stores the wallet.
    expect(Math.abs(spent - said)).toBeLessThan(20_000);
    // Five years' rent is in it, and the operator is who the terms say.
    const shown = await contracts(["inspect", vault.address.toString()], env);
    expect(shown).toMatchObject({ code: 0, complained: "" });
    expect(shown.said).toMatch(/^vault /);
    expect(shown.said).toContain("no final root");
    expect(shown.said).toContain(`owner ${terms.owner}`);

    const again = await contracts(["deploy", file], env);
    expect(again.said).toContain("is there already");
    const twice = await contracts(["deploy", file, "--send"], env);
    expect(twice).toMatchObject({ code: 1 });
    expect(twice.complained).toMatch(/^ALREADY_THERE: /);
  });

  it("shows a registry, too, and tells a wallet from a contract of ours", async () => {
    const { registry, operator } = chain.settlement;
    const shown = await contracts(["inspect", registry.address.toString()], env);
    expect(shown.said).toMatch(/^registry .*\n.*\nnot paused\n/);
    const wallet = await contracts(["inspect", operator.owner.wallet.address.toString()], env);
    expect(wallet).toMatchObject({ code: 1 });
    expect(wallet.complained).toMatch(/^NOT_OURS: /);
    const nobody = await contracts(["inspect", `0:${"7".repeat(64)}`], env);
    expect(nobody.complained).toMatch(/^NOT_THERE: /);
    const noAddress = await contracts(["inspect", "elsewhere"], env);
    expect(noAddress.complained).toMatch(/^ADDRESS_INVALID: /);
  });

  it("says what is missing: endpoint, key, money, the right network, sound terms", async () => {
    const other = { ...terms, salt: salt + 1 };
    const file = await write("other.json", other);
    const complaint = async (args: readonly string[], given: Record<string, string>) => {
      const { code, complained } = await contracts(args, given);
      return { code, refusal: complained.split(":")[0] };
    };
    const { TON_ENDPOINT = "" } = env;
    const send = ["deploy", file, "--send"];
    expect(await complaint(send, {})).toEqual({ code: 1, refusal: "ENDPOINT_MISSING" });
    expect(await complaint(send, { TON_ENDPOINT })).toEqual({ code: 1, refusal: "KEY_MISSING" });
    const absent = { TON_ENDPOINT, WALLET_KEY_FILE: join(folder, "absent") };
    expect(await complaint(send, absent)).toEqual({ code: 1, refusal: "KEY_MISSING" });
    const odd = { TON_ENDPOINT, WALLET_KEY_FILE: await write("odd", "twelve words are not enough") };
    expect(await complaint(send, odd)).toEqual({ code: 1, refusal: "KEY_INVALID" });
    const empty = { TON_ENDPOINT, WALLET_KEY_FILE: await write("empty", (await mnemonicNew()).join(" ")) };
    expect(await complaint(send, empty)).toEqual({ code: 1, refusal: "WALLET_EMPTY" });
    const elsewhere = ["deploy", await write("testnet.json", { ...other, network: "testnet" })];
    expect(await complaint(elsewhere, env)).toEqual({ code: 1, refusal: "WRONG_NETWORK" });
    const nowhere = { ...env, TON_ENDPOINT: "http://127.0.0.1:9/api/v2" };
    expect(await complaint(send, nowhere)).toEqual({ code: 1, refusal: "ENDPOINT_FAILED" });
    expect(chain.ton.balance(vaultOf(other).address)).toBe(0n);
  });

  it("explains itself", async () => {
    expect(await contracts([])).toMatchObject({ code: 2, said: expect.stringContaining("WALLET_KEY_FILE") });
    expect(await contracts(["--help"])).toMatchObject({ code: 0 });
    const offline = await contracts(["deploy", await write("offline.json", terms)]);
    expect(offline.said).toContain("TON_ENDPOINT is not set");
    expect(offline.said).toContain(vaultOf(terms).address.toString({ testOnly: true }));
  });
});
