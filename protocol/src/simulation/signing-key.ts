const p256 = { name: "ECDSA", namedCurve: "P-256" } as const;

/** A P-256 key of the simulated world; its JWK is kept so that a devnet keeps its world across starts. */
export interface SigningKey {
  readonly jwk: JsonWebKey;
  /** Uncompressed point without the leading 04: 64 bytes. */
  readonly point: Uint8Array<ArrayBuffer>;
  /** Raw r ‖ s, 64 bytes, over SHA-256 of the message. */
  sign(message: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
}

export async function newSigningKey(): Promise<SigningKey> {
  const { privateKey } = await crypto.subtle.generateKey(p256, true, ["sign", "verify"]);
  return loadSigningKey(await crypto.subtle.exportKey("jwk", privateKey));
}

/** @throws when `jwk` is not a private P-256 key. */
export async function loadSigningKey(jwk: JsonWebKey): Promise<SigningKey> {
  const { kty = "", crv = "", x = "", y = "", d = "" } = jwk;
  const privateKey = await crypto.subtle.importKey("jwk", { kty, crv, x, y, d }, p256, false, ["sign"]);
  const publicKey = await crypto.subtle.importKey("jwk", { kty, crv, x, y }, p256, true, ["verify"]);
  return {
    jwk: { kty, crv, x, y, d },
    point: new Uint8Array(await crypto.subtle.exportKey("raw", publicKey)).slice(1),
    async sign(message) {
      return new Uint8Array(
        await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, privateKey, message),
      );
    },
  };
}
