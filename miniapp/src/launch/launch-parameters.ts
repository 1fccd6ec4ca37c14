/** What Telegram puts into the fragment of a Mini App's address when it opens it. */
export interface LaunchParameters {
  /** Signed init data, as it came; the gateway checks the signature. */
  readonly initData: string;
}

/** @returns `undefined` outside Telegram. @see https://docs.telegram-mini-apps.com/platform/launch-parameters */
export function readLaunchParameters(fragment: string): LaunchParameters | undefined {
  const initData = new URLSearchParams(fragment.replace(/^#/, "")).get("tgWebAppData");
  return initData ? { initData } : undefined;
}
