import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

type Bend = (
  method: string,
  result: unknown,
  parameters: Readonly<Record<string, unknown>>,
) => unknown | Promise<unknown>;

/** An endpoint in front of a real one that says something else: what `bend` makes of each answer; what it throws is an HTTP 500. */
export interface CrookedEndpoint extends AsyncDisposable {
  /** Base of the toncenter v2 API. */
  readonly url: string;
  bend: Bend;
  /** Questions so far, by method. */
  readonly asked: Map<string, number>;
}

export const straight: Bend = (_, result) => result;

export async function crookedEndpoint(real: string): Promise<CrookedEndpoint> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      answer(body).then(
        (value) => response.end(JSON.stringify(value)),
        (error: unknown) => response.writeHead(500).end(JSON.stringify({ ok: false, error: String(error) })),
      );
    });
  });
  const answer = async (body: string): Promise<unknown> => {
    const { method, params } = JSON.parse(body) as { method: string; params: Record<string, unknown> };
    endpoint.asked.set(method, (endpoint.asked.get(method) ?? 0) + 1);
    const answered = await fetch(`${real}/jsonRPC`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    const told = (await answered.json()) as { ok: boolean; result?: unknown };
    if (!told.ok) return told;
    return { ...told, result: await endpoint.bend(method, told.result, params) };
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint: CrookedEndpoint = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v2`,
    bend: straight,
    asked: new Map(),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return endpoint;
}
