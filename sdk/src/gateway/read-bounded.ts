import { BombyxError, concat } from "@bombyx/protocol/wire";

/**
 * Reads a body of at most `maxBytes`.
 * @throws BombyxError BODY_TOO_LARGE beyond it, GATEWAY_UNREACHABLE when the connection breaks.
 */
export async function readBounded(response: Response, maxBytes: number): Promise<Uint8Array> {
  const reader = response.body?.getReader();
  if (!reader) return new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw new BombyxError("GATEWAY_UNREACHABLE", "The connection to the gateway broke.", { cause });
    });
    if (done) return concat(...chunks);
    bytes += value.length;
    if (bytes > maxBytes) {
      await reader.cancel().catch(() => undefined);
      throw new BombyxError(
        "BODY_TOO_LARGE",
        `The gateway sent more than the ${maxBytes} bytes allowed here.`,
      );
    }
    chunks.push(value);
  }
}
