import { BombyxError, limits } from "@bombyx/protocol/wire";

const quote = 0x22;
const backslash = 0x5c;

/**
 * Depth of arrays and objects, counted on the bytes, so that nothing parses what is too deep.
 * @throws BombyxError BAD_REQUEST above `limits.jsonDepth`.
 */
export function assertJsonDepth(json: Uint8Array, depthMax: number = limits.jsonDepth): void {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (inString) {
      if (byte === backslash) at++;
      else if (byte === quote) inString = false;
    } else if (byte === quote) inString = true;
    else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > depthMax) {
        throw new BombyxError(
          "BAD_REQUEST",
          `The request nests deeper than ${depthMax} levels; flatten it (schemas are counted too).`,
        );
      }
    } else if (byte === 0x5d || byte === 0x7d) depth--;
  }
}
