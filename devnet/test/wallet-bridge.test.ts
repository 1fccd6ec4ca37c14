import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Base64, hexToByteArray, SessionCrypto } from "@tonconnect/protocol";
import { expect, it } from "vitest";
import { bundledModel } from "../src/config.ts";
import { startDevnet } from "../src/devnet.ts";
import { chromiumPath } from "../src/house/chromium.ts";
import { launchChromium, phoneScreen } from "../src/miniapp/phone.ts";
import { deviceInfo, type LocalWallet } from "../src/wallet/local-wallet.ts";
import "./patience.ts";
import { type SseBridge, startSseBridge } from "./sse-bridge.ts";

const executable = chromiumPath();
const never = new AbortController().signal;

/** A wallet on another device: it has the link, and the bridge; nothing else joins it to the page. */
function walletAtBridge(bridge: SseBridge, wallet: LocalWallet) {
  const session = new SessionCrypto();
  const say = (to: string, message: object) => {
    const sealed = session.encrypt(JSON.stringify(message), hexToByteArray(to));
    bridge.send(session.sessionId, to, Base64.encode(sealed));
  };
  return async (link: string) => {
    const { searchParams } = new URL(link);
    const app = searchParams.get("id") ?? "";
    const request = JSON.parse(searchParams.get("r") ?? "{}") as { manifestUrl: string };
    const { host } = new URL(request.manifestUrl);
    bridge.listen(session.sessionId, (from, message) => {
      const opened = session.decrypt(Base64.decode(message).toUint8Array(), hexToByteArray(from));
      void wallet.send(host, JSON.parse(opened), never).then((answer) => say(from, answer));
    });
    say(app, await wallet.connect(request, never));
  };
}

it.skipIf(executable === undefined)(
  "a wallet on another device is connected, proven and asked through an encrypted bridge",
  async () => {
    const directory = await mkdtemp(join(tmpdir(), "bombyx-bridge-"));
    await using bridge = await startSseBridge();
    const devnet = await startDevnet({
      stateRoot: join(directory, ".devnet"),
      nodes: 1,
      slots: 4,
      pace: 0,
      model: { path: bundledModel, id: "spark" },
      ports: { gateway: 0, metrics: 0, chain: [0, 0], proxy: 0 },
      facePorts: { playground: 0, miniapp: 0, botApi: 0 },
      allowanceNano: "100000000000",
      pollMs: 300,
      wallets: [
        {
          app_name: deviceInfo.appName,
          name: "Far wallet",
          image: "",
          about_url: "https://ton.org",
          universal_url: "https://wallet.example/ton-connect",
          bridge: [{ type: "sse", url: bridge.url }],
          platforms: ["ios", "android"],
        },
      ],
    });
    const browser = await launchChromium(executable ?? "");
    try {
      const { wallet, townspeople } = devnet;
      const [person] = townspeople?.persons ?? [];
      if (!wallet || !townspeople || !person) throw new Error("nobody is there");
      wallet.verdict = "approve";
      const page = await browser.newPage(phoneScreen);
      const refused: string[] = [];
      page.on("console", (message) => {
        if (/Content Security Policy/.test(message.text())) refused.push(message.text());
      });
      // Where Telegram would open the link.
      await page.addInitScript(() => {
        const links: string[] = [];
        (window as unknown as { links: string[] }).links = links;
        window.open = (url) => {
          links.push(String(url));
          return null;
        };
      });
      await page.goto(
        (await person.privateChat(townspeople.bot).openMiniApp({ version: "9.1", platform: "tdesktop" })).url,
      );
      await page.getByRole("link", { name: "Wallet" }).click();
      await page.getByRole("button", { name: "Connect a wallet" }).click();
      await page.getByRole("button", { name: "Far wallet" }).click();
      // From a computer the phone scans the same link.
      await page.getByRole("img", { name: /Far wallet/ }).waitFor();
      await page.getByRole("button", { name: "Open Far wallet" }).click();
      const [link = ""] = await page.evaluate(() => (window as unknown as { links: string[] }).links);
      expect(link).toMatch(/^https:\/\/wallet\.example\/ton-connect\?.*&ret=back$/);
      await walletAtBridge(bridge, wallet)(link);
      await page.getByText("Your wallet is connected").waitFor();

      // A transfer goes the same way, and the chain tells what came of it: this claim proves nothing.
      const address = wallet.address.toString({ bounceable: false });
      await page.route(
        ({ pathname }) => pathname === "/v1/owner/earnings",
        async (route) => {
          const response = await route.fetch();
          const told = (await response.json()) as { nodes: object[] };
          const hash = "ab".repeat(32);
          const root = { epoch: 1, depth: 0, root: hash, committedNano: "5", units: "1", requests: "1" };
          told.nodes = [
            {
              node: hash,
              machine: null,
              name: "attic",
              payout: address,
              account: `0:${hash}`,
              index: 0,
              earnedNano: "5000000000",
              heldNano: "0",
              pendingNano: "0",
              finalNano: "5000000000",
              paidNano: "0",
              proof: {
                root: { ...root, leavesHash: hash, clientRoot: hash },
                leaf: { index: 0, earnedNano: "5000000000", units: "1" },
                path: [],
              },
            },
          ];
          await route.fulfill({ response, json: told });
        },
      );
      await page.goto(page.url().replace("do=connect", "do=claim"));
      await page.getByRole("button", { name: "Claim 5 GRAM" }).click();
      await page.getByRole("alert").getByText("The contract refused").waitFor({ timeout: 60_000 });
      expect(refused).toEqual([]);
      // Whoever runs the bridge reads none of it.
      const words = bridge.passed.map((message) => Buffer.from(message, "base64").toString("latin1")).join();
      expect(bridge.passed.length).toBeGreaterThanOrEqual(3);
      expect(words).not.toMatch(/ton_proof|sendTransaction|connect/);
    } finally {
      await browser.close();
      await devnet.stop();
      await rm(directory, { recursive: true, force: true });
    }
  },
);
