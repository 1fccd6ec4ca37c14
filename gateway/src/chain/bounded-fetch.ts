import type { TonClientParameters } from "@ton/ton";

/** A page of a hundred transactions has a few hundred kB. */
const largestAnswer = 8 * 1024 * 1024;

type Adapter = NonNullable<TonClientParameters["httpAdapter"]>;

/**
 * Carries TonClient's questions by `fetch`: no redirects, no answer larger than memory should hold, and an end to
 * every question, because an endpoint is a stranger.
 */
export function boundedFetch(request: typeof fetch, timeoutMs: number): Adapter {
  return async (config) => {
    const response = await request(String(config.url), {
      method: "POST",
      headers: config.headers.toJSON() as Record<string, string>,
      body: String(config.data),
      redirect: "error",
      signal: AbortSignal.timeout(timeoutMs),
    });
    const data: unknown = JSON.parse(await readBounded(response));
    return { data, status: response.status, statusText: "", headers: {}, config };
  };
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > largestAnswer) throw new RangeError(`the answer has more than ${largestAnswer} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
