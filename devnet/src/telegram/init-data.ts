import { generateKeyPairSync, sign } from "node:crypto";

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
    sign({ botId, userId, at }) {
      const fields = {
        auth_date: String(Math.floor(at / 1_000)),
        query_id: "devnet",
        user: JSON.stringify({ id: userId, first_name: "Ada" }),
      };
      const lines = Object.entries(fields)
        .map(([name, value]) => `${name}=${value}`)
        .sort();
      const signature = sign(null, Buffer.from(`${botId}:WebAppData\n${lines.join("\n")}`), privateKey);
      // `hash` is for the bot's own server, which needs the bot's token; nobody here has one.
      return new URLSearchParams({
        ...fields,
        hash: "0".repeat(64),
        signature: signature.toString("base64url"),
      }).toString();
    },
  };
}
