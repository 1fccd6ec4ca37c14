import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import * as z from "zod";
import { fromHex, toHex, utf8 } from "../wire/index.ts";
import { CipherState, dh, noiseName, ready, SymmetricState } from "./index.ts";

const file = join(process.env.BOMBYX_VECTORS ?? "", "noise_nk_25519_chachapoly_blake2b.json");
const vectorSchema = z.object({
  protocol_name: z.string(),
  init_prologue: z.string(),
  init_ephemeral: z.string(),
  init_remote_static: z.string(),
  resp_static: z.string(),
  resp_ephemeral: z.string(),
  handshake_hash: z.string(),
  messages: z.array(z.object({ payload: z.string(), ciphertext: z.string() })).length(6),
});

/** The public key is what the vector's DH and static key make of the base point. */
const basePoint = (): Uint8Array => {
  const point = new Uint8Array(32);
  point[0] = 9;
  return point;
};

it.skipIf(!existsSync(file))(
  "the public Noise NK vector comes out byte for byte, handshake and transport, on both sides",
  async () => {
    await ready;
    const vector = vectorSchema.parse(JSON.parse(readFileSync(file, "utf8")));
    const [m1, m2, ...transport] = vector.messages;
    if (!m1 || !m2) throw new Error("unreachable: six messages");
    expect(vector.protocol_name).toBe(noiseName);
    const secret = (name: "init_ephemeral" | "resp_static" | "resp_ephemeral") => fromHex(vector[name]);
    const publicOf = (privateKey: Uint8Array) => dh(privateKey, basePoint());
    expect(toHex(publicOf(secret("resp_static")))).toBe(vector.init_remote_static);

    const begin = (): SymmetricState => {
      const state = new SymmetricState(noiseName);
      state.mixHash(fromHex(vector.init_prologue));
      state.mixHash(fromHex(vector.init_remote_static));
      return state;
    };

    // → e, es
    const initiator = begin();
    const e1 = publicOf(secret("init_ephemeral"));
    initiator.mixHash(e1);
    initiator.mixKey(dh(secret("init_ephemeral"), fromHex(vector.init_remote_static)));
    const payload1 = initiator.encryptAndHash(fromHex(m1.payload));
    expect(toHex(e1) + toHex(payload1)).toBe(m1.ciphertext);
    expect(toHex(initiator.handshakeHash)).toBe(vector.handshake_hash);

    const responder = begin();
    responder.mixHash(e1);
    responder.mixKey(dh(secret("resp_static"), e1));
    expect(toHex(responder.decryptAndHash(payload1))).toBe(m1.payload);

    // ← e, ee
    const e2 = publicOf(secret("resp_ephemeral"));
    responder.mixHash(e2);
    responder.mixKey(dh(secret("resp_ephemeral"), e1));
    const payload2 = responder.encryptAndHash(fromHex(m2.payload));
    expect(toHex(e2) + toHex(payload2)).toBe(m2.ciphertext);
    initiator.mixHash(e2);
    initiator.mixKey(dh(secret("init_ephemeral"), e2));
    expect(toHex(initiator.decryptAndHash(payload2))).toBe(m2.payload);

    const keys = initiator.split();
    expect(responder.split()).toEqual(keys);
    const senders = keys.map((key) => new CipherState(key));
    const receivers = keys.map((key) => new CipherState(key));
    const none = new Uint8Array(0);
    transport.forEach(({ payload, ciphertext }, i) => {
      expect(toHex(senders[i % 2]!.encrypt(none, fromHex(payload)))).toBe(ciphertext);
      expect(toHex(receivers[i % 2]!.decrypt(none, fromHex(ciphertext)))).toBe(payload);
    });
  },
);

it("a transport message that is not authentic leaves the nonce, so that the authentic one still opens", async () => {
  await ready;
  const key = new Uint8Array(32).fill(1);
  const sealed = new CipherState(key).encrypt(utf8("ad"), utf8("hello"));
  const receiver = new CipherState(key);
  expect(() => receiver.decrypt(utf8("another"), sealed)).toThrow();
  expect(receiver.decrypt(utf8("ad"), sealed)).toEqual(utf8("hello"));
});
