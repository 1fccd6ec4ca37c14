import { expect, it } from "vitest";
import { chromiumPath } from "../src/house/chromium.ts";
import { launchChromium, phoneScreen } from "../src/miniapp/phone.ts";
import { stageMiniapp } from "../src/miniapp/staged-miniapp.ts";
import { seriousFaults } from "./miniapp-phone.ts";
import { startNetwork, type TestNetwork } from "./network.ts";
import "./patience.ts";
import { Terminal } from "./terminal.ts";

const executable = chromiumPath();

async function ask(network: TestNetwork): Promise<number> {
  const { status } = await fetch(`${network.proxy.url}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${network.apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({
      model: "spark",
      max_tokens: 64,
      messages: [{ role: "user", content: "What is the capital of France?" }],
    }),
  });
  return status;
}

it.skipIf(executable === undefined)(
  "an owner registers a GPU, runs the line that the page shows, sees each step, earns, and removes it",
  async () => {
    let network: TestNetwork | undefined;
    await using stage = await stageMiniapp(async (instruments) => {
      network = await startNetwork({ nodes: 1, pace: 0, instruments });
      return network;
    });
    if (!network) throw new Error("the stage started no network");
    await using terminal = new Terminal(network.state.root);
    const browser = await launchChromium(executable ?? "");
    const address = stage.open("simulation");
    const page = await browser.newPage(phoneScreen);
    await page.goto(address);

    // What it takes and brings, before anything is asked.
    await page.getByRole("link", { name: "Earn" }).click();
    await page.getByText("Estimate, not a promise").waitFor();
    await page.getByText(/\d.* – .*\d GRAM$/).waitFor();
    await page.getByText(/^This network is simulated/).waitFor();
    expect(await seriousFaults(page)).toEqual([]);

    await page.getByLabel("GPU").selectOption("other");
    await page.getByRole("button", { name: "Get the pairing code" }).click();
    await page.getByText("Write its name, for example").waitFor();
    await page.getByLabel("GPU").selectOption("NVIDIA H100 PCIe 80 GB");
    await page.getByLabel("Name").fill("attic");
    await page.getByRole("button", { name: "Get the pairing code" }).click();
    const sheet = page.getByRole("dialog");
    const command = (await sheet.locator("code").first().textContent()) ?? "";
    const code = (await sheet.locator("output").textContent()) ?? "";
    expect(code).toMatch(/^[0-9A-Z]{4}(-[0-9A-Z]{4}){2}$/);
    expect(command).toBe(`npm run -s node -- --pair ${code}`);
    await sheet.getByText(/^1[45]:\d\d left$/).waitFor();

    // A code with a slip of the finger: said in words, before a model is loaded; nothing ticks on the page.
    const wrong = terminal.run(command.replace(code, "0000-0000-0000"));
    expect(await seriousFaults(page)).toEqual([]);
    expect(await wrong.exit).toBe(3);
    expect(wrong.printed()).toMatch(/PAIRING_INVALID.*no such pairing code/);
    expect(wrong.printed()).toMatch(/→ Open Earn in the Mini App/);
    expect(wrong.printed()).not.toContain("✓ Loaded");
    await sheet.getByText("Start the command on your machine.").waitFor();

    const node = terminal.run(command);
    await sheet.getByText("Paired, done").waitFor({ timeout: 15_000 });
    await sheet.getByText("Online and verified, done").waitFor({ timeout: 15_000 });
    await sheet.getByText(/^Serves spark, /).waitFor();
    await expect
      .poll(node.printed)
      .toMatch(/✓ Paired[\s\S]*✓ Measured[\s\S]*✓ Attested[\s\S]*Waiting for the first request/);

    // The only other node goes, so the question is this machine's.
    await network.killNode(network.nodes[0]?.node ?? "");
    await expect.poll(() => ask(network as TestNetwork), { timeout: 10_000 }).toBe(200);
    await sheet.getByText("On the way").waitFor({ state: "detached" });
    await sheet
      .getByText(/^0\.0000\d+ GRAM$/)
      .first()
      .waitFor();
    await expect.poll(node.printed).toMatch(/✓ Served +the first request: \d+ units; 0\.0000\d+ GRAM/);

    // The code is spent: another machine that finds it is refused in words.
    const thief = terminal.run(`${command} --state ${network.state.path("joined", "thief")}`);
    expect(await seriousFaults(page)).toEqual([]);

    // Everybody sees the machine by its name.
    await sheet.getByRole("button", { name: "Close" }).click();
    await page.getByRole("link", { name: "Network" }).click();
    await page.getByText("attic").waitFor();
    await page.getByText("Requests per minute", { exact: true }).waitFor();
    await page.locator(".plot canvas").waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    expect(await thief.exit).toBe(3);
    expect(thief.printed()).toMatch(/PAIRING_SPENT.*for one node/);

    // A second machine; its code is not shown twice, and a new one ends it.
    await page.getByRole("link", { name: "Earn" }).click();
    await page.getByRole("button", { name: "Add a machine" }).click();
    await sheet.getByRole("button", { name: "Get the pairing code" }).click();
    const former = (await sheet.locator("output").textContent()) ?? "";
    await page.goto("about:blank");
    await page.goto(address);
    await page.getByRole("link", { name: "Earn" }).click();
    await page.getByText("Waits for its node").click();
    await sheet.getByText("The code was shown once").waitFor();
    await sheet.getByRole("button", { name: "New code" }).click();
    await sheet.locator("output").waitFor();
    const late = terminal.run(command.replace(code, former));
    await sheet.getByRole("button", { name: "Close" }).click();

    // Removed: the page forgets it, its process ends and says why, nobody is served any more.
    await page.getByRole("button", { name: /^attic/ }).click();
    await sheet.getByRole("button", { name: "Remove" }).click();
    await sheet.getByText("Remove attic?").waitFor();
    await sheet.getByRole("button", { name: "Remove" }).click();
    expect(await node.exit).toBe(3);
    expect(node.printed()).toMatch(/NODE_REMOVED.*removed this machine/);
    await page.getByRole("button", { name: /^attic/ }).waitFor({ state: "detached" });
    expect(await ask(network)).toBeGreaterThanOrEqual(400);
    expect(await late.exit).toBe(3);
    expect(late.printed()).toMatch(/PAIRING_EXPIRED.*ask for a new one/);

    // Every word of both tabs is there in Russian, too.
    const russian = await browser.newPage({ ...phoneScreen, locale: "ru-RU", colorScheme: "dark" });
    await russian.goto(address);
    await russian.getByRole("link", { name: "Доход" }).click();
    await russian.getByText("Ждёт свой узел").click();
    await russian.getByRole("dialog").getByText("Код показывался один раз").waitFor();
    expect(await seriousFaults(russian)).toEqual([]);
    const words = await russian.evaluate(() => document.body.innerText);
    expect(words).not.toMatch(/\b(earn|network|failure)-[a-z]/);

    // Without a gateway both tabs keep what they know and say that it is old.
    await network.killGateway();
    await page.getByText("These numbers are not new").waitFor();
    await page.getByRole("button", { name: "Add a machine" }).waitFor();
    await page.getByRole("link", { name: "Network" }).click();
    await page.getByRole("alert").getByText("The network cannot be seen now").waitFor();
    await browser.close();
  },
);
