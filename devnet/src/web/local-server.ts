import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

export interface LocalServer extends AsyncDisposable {
  readonly origin: string;
}

/**
 * A server on loopback; disposing of it cuts off whoever still listens.
 * @param port 0 takes any free port
 * @param listener is given the server's origin first, since pages are judged by it
 */
export async function startLocalServer(
  port: number,
  listener: (origin: string, ...request: Parameters<RequestListener>) => void,
): Promise<LocalServer> {
  let origin = "";
  const server = createServer((request, response) => listener(origin, request, response));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
