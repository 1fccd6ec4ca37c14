/** Where this page's network is; `bombyx.json` beside the page. It can move the gateway, never the policy. */
export interface Deployment {
  readonly gateway: string;
  readonly botId: number;
  /** The bot's name without `@`, for the link that visitors get; absent where it has none. */
  readonly botUsername?: string;
  /** What an owner of a GPU pastes into a terminal; `{gateway}` and `{code}` are filled in. */
  readonly nodeCommand?: string;
}

/** @throws Error that says what is wrong with the file. */
export async function readDeployment(): Promise<Deployment> {
  const response = await fetch("bombyx.json");
  if (!response.ok) throw new Error(`bombyx.json beside this page is missing (HTTP ${response.status}).`);
  const { gateway, botId, botUsername, nodeCommand } = (await response.json()) as Partial<Deployment>;
  if (typeof gateway !== "string" || !/^https?:\/\//.test(gateway))
    throw new Error("bombyx.json needs `gateway`, an http(s) URL.");
  if (typeof botId !== "number" || !Number.isSafeInteger(botId))
    throw new Error("bombyx.json needs `botId`, the number before the colon of the bot's token.");
  const named = typeof botUsername === "string" && /^[A-Za-z0-9_]{3,32}$/.test(botUsername);
  const command = typeof nodeCommand === "string" && nodeCommand.includes("{code}");
  return { gateway, botId, ...(named && { botUsername }), ...(command && { nodeCommand }) };
}
