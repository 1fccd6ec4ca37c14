import { Buffer } from "buffer";

// @ton/core takes Node's Buffer for granted; it is here before anything of it runs.
(globalThis as { Buffer?: unknown }).Buffer ??= Buffer;

/** The part of the SDK that speaks to contracts; loaded when something is to be signed. */
export const loadTon = () => import("@bombyx/sdk/ton");
