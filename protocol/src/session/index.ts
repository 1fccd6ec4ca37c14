/** Noise NK sessions and sealed streams on libsodium (PROTOCOL §5 and §6). */
export { FramesHash, requestHash } from "../receipt/hashes.ts";
export { requestBucketOf } from "../wire/limits.ts";
export * from "./handshake.ts";
export { CipherState, dh, SymmetricState } from "./noise.ts";
export * from "./sealed-stream.ts";
export * from "./signing.ts";
export { blake2b256, equalBytes, ready, zero } from "./sodium.ts";
