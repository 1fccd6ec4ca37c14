import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  appraise,
  type Block,
  encodeBundle,
  registryMaxAgeMs,
  type Verdict,
} from "@bombyx/protocol/attestation";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startNetwork, type TestNetwork } from "./support/network.ts";
import type { ScriptedNode } from "./support/scripted-node.ts";

describe("the registry's lists", () => {
  const folder = mkdtempSync(join(tmpdir(), "bombyx-registry-"));
  const registryFile = join(folder, "registry.json");
  const lists = {
    v: 1,
    releases: [] as string[],
    minReleaseVersion: 0,
    platforms: {} as Record<string, "home">,
    denied: { platforms: [] as string[], images: [] as string[], bootIds: [] as string[] },
  };
  const publish = () => writeFileSync(registryFile, JSON.stringify(lists));
  let network: TestNetwork;
  let node: ScriptedNode;
  let verdict: Verdict;

  beforeAll(async () => {
    publish();
    // What a second does for tests, a quarter of a minute does elsewhere.
    network = await startNetwork({ registryFile, lostGraceMs: 1_000 });
    const stranger = await network.dial({ model: "listed" });
    await stranger.expect("welcome");
    stranger.attest();
    expect(await stranger.expect("refused")).toMatchObject({ code: "PLATFORM_UNREGISTERED", fatal: true });
    verdict = await verdictOf(stranger);
    lists.platforms[verdict.platformId] = "home";
  });
  afterAll(async () => {
    await network.close();
    rmSync(folder, { recursive: true });
  });
  beforeEach(async () => {
    node = await serving();
  });
  afterEach(() => {
    lists.denied = { platforms: [], images: [], bootIds: [] };
    network.killNodes();
  });

  /** Five minutes later the gateway reads the lists again. */
  const change = (edit: () => void) => {
    edit();
    publish();
    network.advance(registryMaxAgeMs + 1);
  };

  async function serving(): Promise<ScriptedNode> {
    change(() => {});
    const joined = await network.join({ model: "listed" });
    verdict = await verdictOf(joined);
    return joined;
  }

  async function verdictOf({ identity }: ScriptedNode): Promise<Verdict> {
    const { seqno, hash } = identity.statement.beacon;
    const block: Block = { chain: network.world.policy().chain, seqno, hash, at: Date.now() };
    return await appraise({
      bundle: identity.bytes,
      policy: network.world.policy(),
      chain: { block: async () => block, latest: async () => block } as never,
      now: Date.now(),
      expect: {},
    });
  }

  it.each([
    ["machine", "PLATFORM_DENIED", () => lists.denied.platforms.push(verdict.platformId)],
    ["image", "IMAGE_DENIED", () => lists.denied.images.push(verdict.imageHash)],
    ["boot", "BOOT_DENIED", () => lists.denied.bootIds.push(verdict.statement.boot_id)],
  ] as const)("that deny a node's %s end its link, and let it attest no more", async (_name, code, deny) => {
    change(() => void deny());
    expect(await node.expect("refused")).toMatchObject({ code, fatal: true });
    await node.closed;
    const candidates = await network.client.call("GET", "/v1/candidates?model=listed");
    expect(candidates.json.error?.code).toBe("MODEL_UNKNOWN");
    const again = await network.dial({ model: "listed", identity: node.identity });
    await again.expect("welcome");
    again.attest();
    expect(await again.expect("refused")).toMatchObject({ code, fatal: true });
  });

  it("that deny somebody else, or cannot be read, end nobody's link; newcomers wait until they can be", async () => {
    change(() => lists.denied.platforms.push("ab".repeat(32)));
    writeFileSync(registryFile, "{");
    network.advance(registryMaxAgeMs + 1);
    const newcomer = await network.dial({ model: "listed" });
    await newcomer.expect("welcome");
    newcomer.attest();
    expect(await newcomer.expect("refused")).toMatchObject({ code: "REGISTRY_VIEW", fatal: false });
    const candidates = await network.client.call("GET", "/v1/candidates?model=listed");
    expect(candidates.status).toBe(200);
    change(() => {});
    await network.join({ model: "listed" });
  });
});

describe("what the gateway has seen", () => {
  let network: TestNetwork;
  beforeAll(async () => {
    network = await startNetwork();
  });
  afterAll(() => network.close());

  /** A node whose list of revoked certificates has this number. */
  async function attestWith(number: number, answer: "attested" | "refused") {
    const node = await network.dial();
    await node.expect("welcome");
    const thisUpdate = Date.now() - (10 - number) * 3_600_000;
    const collateral = await network.world.collateral(Date.now(), { pckCrl: { number, thisUpdate } });
    node.attest(encodeBundle({ ...node.identity.bundle, collateral }));
    return await node.expect(answer);
  }

  it("makes an older list refused, from any node, after a restart, too; the newest goes on being taken", async () => {
    await attestWith(4, "attested");
    await attestWith(5, "attested");
    expect(await attestWith(4, "refused")).toMatchObject({ code: "CRL_ROLLBACK", fatal: false });
    network.killNodes();
    await network.restart();
    expect(await attestWith(4, "refused")).toMatchObject({ code: "CRL_ROLLBACK" });
    await attestWith(5, "attested");
  });
});
