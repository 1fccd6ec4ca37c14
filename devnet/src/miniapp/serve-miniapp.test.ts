import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { phonePolicy, serversBehind } from "../playground/public-address.ts";
import { startMiniappHost } from "./serve-miniapp.ts";

it("carries page, gateway and chain to a phone through one public address", async () => {
  const asked: string[] = [];
  const behind = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.host}`);
    response.end("from behind");
  }).listen(0, "127.0.0.1");
  await once(behind, "listening");
  const server = `http://127.0.0.1:${(behind.address() as AddressInfo).port}`;
  const folder = await mkdtemp(join(tmpdir(), "bombyx-miniapp-"));
  await writeFile(join(folder, "index.html"), "<!doctype html>");
  await using host = await startMiniappHost();
  const address = "https://tunnel.example";
  const policy = phonePolicy(
    { attestation: {} as never, chainEndpoints: [`${server}/api/v2`, `${server}/api/v2`] },
    address,
  );
  host.deploy({
    folder,
    gateway: address,
    chainEndpoints: policy.chainEndpoints,
    botId: 1,
    behind: serversBehind(server, [`${server}/api/v2`, `${server}/api/v2`]),
  });
  try {
    expect(policy.chainEndpoints).toEqual([`${address}/chain/1`, `${address}/chain/2`]);
    const page = await fetch(host.origin);
    expect(page.headers.get("content-security-policy")).toContain(
      "connect-src 'self' https://tunnel.example;",
    );
    expect(page.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    expect(await (await fetch(`${host.origin}/v1/models?a=b`)).text()).toBe("from behind");
    await fetch(`${host.origin}/chain/2/getMasterchainInfo`, { method: "POST", body: "{}" });
    // Nothing but what was named leads anywhere.
    expect((await fetch(`${host.origin}/metrics`)).status).toBe(404);
    expect((await fetch(`${host.origin}/v1/../metrics`)).status).toBe(404);
    const { host: itself } = new URL(server);
    expect(asked).toEqual([`GET /v1/models?a=b ${itself}`, `POST /api/v2/getMasterchainInfo ${itself}`]);
  } finally {
    behind.closeAllConnections();
    behind.close();
    await rm(folder, { recursive: true, force: true });
  }
});

it("answers paths that are none, and stays up for those that are", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bombyx-miniapp-"));
  await writeFile(join(folder, "index.html"), "<!doctype html>");
  await using host = await startMiniappHost();
  host.deploy({ folder, gateway: host.origin, chainEndpoints: [], botId: 1 });
  const { port } = new URL(host.origin);
  const ask = async (path: string) => {
    const asked = request({ host: "127.0.0.1", port, path, agent: false }).end();
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  };
  try {
    expect(await ask("//")).toBe(400);
    expect(await ask(`/${"a".repeat(5_000)}`)).toBe(404);
    expect(await ask("/index.html/below")).toBe(404);
    expect(await ask("/..%2f..%2fetc/passwd")).toBe(404);
    expect(await ask("/../../../../../../etc/passwd")).toBe(404);
    expect(await ask("/")).toBe(200);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
