/** Where this page's network is; `bombyx.json` beside the page. It can move the gateway, never the policy. */
export interface Deployment {
  readonly gateway: string;
  readonly botId: number;
}

/** @throws Error that says what is wrong with the file. */
export async function readDeployment(): Promise<Deployment> {
  const response = await fetch("bombyx.json");
  if (!response.ok) throw new Error(`bombyx.json beside this page is missing (HTTP ${response.status}).`);
  const { gateway, botId } = (await response.json()) as Partial<Deployment>;
  if (typeof gateway !== "string" || !/^https?:\/\//.test(gateway))
    throw new Error("bombyx.json needs `gateway`, an http(s) URL.");
  if (!Number.isSafeInteger(botId))
    throw new Error("bombyx.json needs `botId`, the number before the colon of the bot's token.");
  return { gateway, botId: botId as number };
}
