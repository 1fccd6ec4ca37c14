import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toBase64, utf8 } from "@bombyx/protocol/wire";
import { afterEach, beforeEach, expect, it } from "vitest";
import { verifyGpuEvidence } from "../../src/gpu/evidence.ts";
import { nvidiaProvider } from "../../src/index.ts";
import { MintedMaker, mintedAt } from "./minted-gpu.ts";

const maker = new MintedMaker();
const gpu = maker.device();
const nonce = new Uint8Array(32).fill(5);
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bombyx-gpu-"));
  await writeFile(join(folder, "version"), "NVRM version: 550.90.07");
});
afterEach(() => rm(folder, { recursive: true }));

const provider = (timeoutMs = 20_000) =>
  nvidiaProvider({ path: folder, driver: join(folder, "version"), timeoutMs });

async function tool(name: string, script: string): Promise<void> {
  await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, name), 0o755);
}

/** nvidia-smi as its answers are known from machines with an H100. */
const smi = (confidential: string, developer: string, gpus = 1) =>
  tool(
    "nvidia-smi",
    `case "$*" in
-L) ${Array.from({ length: gpus }, (_, i) => `echo "GPU ${i}: NVIDIA H100 80GB HBM3 (UUID: GPU-${i})"`).join("\n")};;
"conf-compute -f") echo "CC status: ${confidential}";;
"conf-compute -d") echo "DevTools Mode: ${developer}";;
*) exit 3;; esac`,
  );

const pem = (chain: readonly Uint8Array[]) =>
  chain.map((der) => `-----BEGIN CERTIFICATE-----\n${toBase64(der)}\n-----END CERTIFICATE-----\n`).join("");

const evidence = { ...gpu.evidence(nonce) };
const printed = {
  evidences: [
    {
      arch: "HOPPER",
      nonce: "ignored",
      evidence: toBase64(evidence.report),
      certificate: toBase64(utf8(pem(evidence.chain))),
    },
  ],
  result_code: 0,
  result_message: "Ok",
};

async function nvattest(output: string): Promise<void> {
  await writeFile(join(folder, "output"), output);
  await tool("nvattest", `echo "$*" > ${folder}/called\n/bin/cat ${folder}/output`);
}

it("reads NVIDIA's tool: its evidence of a GPU is verified like any other", async () => {
  await nvattest(JSON.stringify(printed));
  const [collected, ...more] = await provider().collect(nonce);
  expect(more).toEqual([]);
  const expected = { nonce, rootSha256: maker.rootSha256, now: mintedAt };
  expect(verifyGpuEvidence(collected!, expected).report.driverVersion).toBe("550.90.07");
  expect(await readFile(join(folder, "called"), "utf8")).toBe(
    `collect-evidence --device gpu --format json --nonce 0x${"05".repeat(32)}\n`,
  );
});

it.each([
  ["no JSON", "Collecting evidence…"],
  ["nothing", ""],
  ["a failure", JSON.stringify({ ...printed, result_code: 7 })],
  ["no list", JSON.stringify({ ...printed, evidences: {} })],
  ["no certificate", JSON.stringify({ ...printed, evidences: [{ evidence: "AAAA" }] })],
  ["no base64", JSON.stringify({ ...printed, evidences: [{ evidence: "%", certificate: "AAAA" }] })],
  [
    "too many GPUs",
    JSON.stringify({ ...printed, evidences: Array.from({ length: 17 }, () => printed.evidences[0]) }),
  ],
  ["more than a megabyte", "x".repeat(1_100_000)],
])("refuses a tool that prints %s", async (_, output) => {
  await nvattest(output);
  await expect(provider().collect(nonce)).rejects.toMatchObject({ reason: "GPU_TOOL_OUTPUT" });
});

it("tells a tool that is missing, fails, or hangs", async () => {
  await expect(provider().collect(nonce)).rejects.toMatchObject({ reason: "GPU_TOOL_MISSING" });
  await tool("nvattest", "exit 4");
  await expect(provider().collect(nonce)).rejects.toMatchObject({ reason: "GPU_TOOL_FAILED" });
  await tool("nvattest", "exec /usr/bin/tail -f /dev/null");
  await expect(provider(50).collect(nonce)).rejects.toMatchObject({ reason: "GPU_TOOL_TIMEOUT" });
});

it("asks the driver for the count of GPUs and their modes; what it does not understand is not confidential", async () => {
  await smi("ON", "OFF", 2);
  expect(await provider().state()).toEqual({ count: 2, confidential: true, developer: false });
  await smi("OFF", "OFF");
  expect(await provider().state()).toEqual({ count: 1, confidential: false, developer: false });
  await smi("ON", "ON");
  expect(await provider().state()).toEqual({ count: 1, confidential: true, developer: true });
  await smi("??", "??");
  expect(await provider().state()).toEqual({ count: 1, confidential: false, developer: true });
  await rm(join(folder, "version"));
  expect(await provider().state()).toBeUndefined();
});
