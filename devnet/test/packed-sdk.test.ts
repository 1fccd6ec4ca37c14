import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { buildPackages } from "../src/house/build.ts";
import { startNetwork } from "./network.ts";
import "./patience.ts";

const run = promisify(execFile);

/** What a stranger writes; the policy is the devnet's, because this network is simulated. */
const fiveLines = `import { BombyxClient } from "@bombyx/sdk";
import policy from "./policy.js";
const client = new BombyxClient({ gateway: process.env.GATEWAY, apiKey: process.env.BOMBYX_API_KEY, policy });
const answer = await client.chat.completions.create({ model: "spark", temperature: 0, messages: [{ role: "user", content: "What is the capital of France?" }] });
console.log(answer.choices[0].message.content);
`;

it("the packed sdk and protocol, installed in an empty project, answer in five lines", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bombyx-packed-"));
  await using network = await startNetwork({ nodes: 1, pace: 0 });
  try {
    const built = join(folder, "built");
    const project = join(folder, "project");
    buildPackages(built);
    const tarballs = await Promise.all(
      ["protocol", "sdk"].map(async (room) => {
        const { stdout } = await run("npm", ["pack", "--ignore-scripts", "--silent"], {
          cwd: join(built, room),
        });
        return join(built, room, stdout.trim());
      }),
    );
    await mkdir(project);
    await writeFile(join(project, "package.json"), '{"private":true,"type":"module"}');
    await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", ...tarballs], {
      cwd: project,
    });
    await writeFile(join(project, "answer.js"), fiveLines);
    await copyFile(network.state.path("policy.js"), join(project, "policy.js"));
    const { stdout } = await run(process.execPath, ["answer.js"], {
      cwd: project,
      env: { PATH: process.env.PATH, GATEWAY: network.gateway.url, BOMBYX_API_KEY: network.apiKey },
    });
    expect(stdout).toContain("Paris");

    // The twin: without that policy the same program trusts real hardware only, and sends nothing.
    await writeFile(join(project, "policy.js"), "export default undefined;\n");
    const refused = run(process.execPath, ["answer.js"], {
      cwd: project,
      env: { PATH: process.env.PATH, GATEWAY: network.gateway.url, BOMBYX_API_KEY: network.apiKey },
    });
    await expect(refused).rejects.toMatchObject({ stderr: expect.stringContaining("CHAIN_ROOT") });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
