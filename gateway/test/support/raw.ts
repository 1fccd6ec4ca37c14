import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A connection to the gateway's public port on which a test says what it likes, `text` first. */
export async function dialRaw(url: string, text: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.write(text);
  return socket;
}
