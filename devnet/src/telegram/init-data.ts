import { generateKeyPairSync } from "node:crypto";
import { signInitData } from "./bot-api/people/launch.ts";

/** Signs init data as Telegram does for third parties, under a key of this devnet's own. */
export interface InitDataSigner {
  /** Ed25519, 32 bytes, hex: what the gateway takes as BOMBYX_INIT_DATA_KEYS. */
  readonly publicKey: string;
  /** @see https://core.telegram.org/bots/webapps#validating-data-for-third-party-use */
  sign(launch: { botId: number; userId: number; at: number }): string;
}

export function newInitDataSigner(): InitDataSigner {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const { x = "" } = publicKey.export({ format: "jwk" });
  return {
    publicKey: Buffer.from(x, "base64url").toString("hex"),
    sign: ({ botId, userId, at }) =>
      signInitData(
        {
          botId,
          // `hash` is for the bot's own server, which needs the bot's token; nobody here has one.
          botToken: "",
          user: { id: userId, is_bot: false, first_name: "Ada" },
          at,
          queryId: "devnet",
        },
        privateKey,
      ),
  };
}
