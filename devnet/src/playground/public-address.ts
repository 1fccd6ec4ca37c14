import type { DevnetPolicy } from "../network.ts";

/** An https origin that leads to the Mini App's port of this machine, e.g. a tunnel's. */
export type PublicAddress = string;

const chainPath = (index: number): string => `/chain/${index + 1}`;

/** The policy as a phone needs it: it reaches this machine's chain through the public address alone. */
export const phonePolicy = (policy: DevnetPolicy, address: PublicAddress): DevnetPolicy => ({
  ...policy,
  chainEndpoints: policy.chainEndpoints.map((_, index) => `${address}${chainPath(index)}`),
});

/** Which paths of the public address lead to which server of this machine. */
export const serversBehind = (gateway: string, chain: readonly string[]): Record<string, string> => ({
  "/v1/": `${gateway}/v1/`,
  ...Object.fromEntries(chain.map((url, index) => [`${chainPath(index)}/`, `${url}/`])),
});
