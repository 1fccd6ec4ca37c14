import { type IncomingMessage, request as open, type ServerResponse } from "node:http";

/**
 * Hands a request to a server on this machine and its answer back as it comes, event streams included.
 * @param to the whole URL that is asked.
 */
export function forward(request: IncomingMessage, response: ServerResponse, to: string): void {
  const { host: _host, origin: _origin, connection: _connection, ...headers } = request.headers;
  const onward = open(to, { method: request.method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
    answer.once("error", () => response.destroy());
  });
  onward.once("error", () => {
    if (response.headersSent) response.destroy();
    else response.writeHead(502, { "content-type": "text/plain" }).end("The server behind this one is gone.");
  });
  // Whoever goes away while an answer streams ends it behind as well.
  response.once("close", () => onward.destroy());
  request.pipe(onward);
}
