import { setTimeout as after } from "node:timers/promises";
import { WebSocket } from "ws";
import * as z from "zod";

const targetsSchema = z.tuple([z.object({ webSocketDebuggerUrl: z.url() })], z.looseObject({}));
const replySchema = z.object({ id: z.int().optional(), error: z.object({ message: z.string() }).optional() });

/** Node's own inspector of another process, opened when it is wanted, so that it costs nothing before. */
export class Inspector {
  readonly #socket: WebSocket;
  #calls = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** @param pid a process that was started with `--inspect-port=PORT`. @throws Error when it opens none in 5 s. */
  static async open(pid: number, port: number): Promise<Inspector> {
    process.kill(pid, "SIGUSR1");
    for (let tries = 0; ; tries++) {
      try {
        const answer = await fetch(`http://127.0.0.1:${port}/json/list`);
        const [{ webSocketDebuggerUrl }] = targetsSchema.parse(await answer.json());
        const socket = new WebSocket(webSocketDebuggerUrl);
        await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
        return new Inspector(socket);
      } catch (error) {
        if (tries === 100) throw new Error(`process ${pid} opens no inspector on ${port}`, { cause: error });
        await after(50);
      }
    }
  }

  /** What is left in memory afterwards is in use. */
  async collectGarbage(): Promise<void> {
    const id = ++this.#calls;
    await new Promise<void>((resolve, reject) => {
      const listen = (data: Buffer): void => {
        const reply = replySchema.parse(JSON.parse(data.toString()));
        if (reply.id !== id) return;
        this.#socket.off("message", listen);
        if (reply.error) reject(new Error(reply.error.message));
        else resolve();
      };
      this.#socket.on("message", listen);
      this.#socket.send(JSON.stringify({ id, method: "HeapProfiler.collectGarbage" }));
    });
  }

  close(): void {
    this.#socket.terminate();
  }
}
