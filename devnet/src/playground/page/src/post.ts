/** A command to this machine. @throws Error with the server's own sentence. */
export async function post<T>(path: string, body: unknown = {}): Promise<T> {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json", "bombyx-playground": "1" },
    body: JSON.stringify(body),
  });
  return answered<T>(response);
}

export async function get<T>(path: string): Promise<T> {
  return answered<T>(await fetch(path));
}

async function answered<T>(response: Response): Promise<T> {
  const answer = (await response.json().catch(() => ({}))) as T & {
    error?: string;
    description?: string;
  };
  if (!response.ok) throw new Error(answer.error ?? answer.description ?? `HTTP ${response.status}`);
  return answer;
}
