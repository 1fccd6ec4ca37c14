/** The server's own words when it refuses. */
async function answered<T>(response: Response): Promise<T> {
  const body = (await response.json()) as T & { error?: string };
  if (!response.ok) throw new Error(body.error ?? `The chain answered ${response.status}.`);
  return body;
}

export const ask = async <T>(path: string): Promise<T> => answered<T>(await fetch(`api/${path}`));

export const command = async <T>(path: string, body: unknown): Promise<T> =>
  answered<T>(
    await fetch(`api/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", "bombyx-playground": "1" },
      body: JSON.stringify(body),
    }),
  );
