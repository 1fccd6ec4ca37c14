import { createServer } from "node:net";

/** `preferred` when it is free on loopback, else 0, which takes any free port. */
export async function preferredPort(preferred: number): Promise<number> {
  if (preferred === 0) return 0;
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(0));
    probe.listen(preferred, "127.0.0.1", () => probe.close(() => resolve(preferred)));
  });
}
