import { BombyxError, keepsSecrets } from "@bombyx/protocol/wire";

/** @throws BombyxError BAD_REQUEST when it is no http(s) URL, or http on another machine and that is not allowed. */
export function assertGatewayUrl(gateway: string, allowHttp: boolean): void {
  linkUrl(gateway);
  if (allowHttp || keepsSecrets(new URL(gateway))) return;
  throw new BombyxError(
    "BAD_REQUEST",
    `The gateway is ${gateway}: over http everybody on the way reads the pairing code and can take the link over. Use https; --allow-http yes is for a network that is private itself.`,
    { field: "gateway" },
  );
}

/** Where nodes link to a gateway. @throws BombyxError BAD_REQUEST when it is no http(s) URL. */
export function linkUrl(gateway: string): string {
  let url: URL;
  try {
    url = new URL("v1/link", gateway.endsWith("/") ? gateway : `${gateway}/`);
  } catch (cause) {
    throw new BombyxError("BAD_REQUEST", `The gateway "${gateway}" is not a URL; give it as https://host.`, {
      cause,
    });
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new BombyxError(
      "BAD_REQUEST",
      `The gateway's URL starts with ${url.protocol}//; give it as https://host.`,
    );
  }
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}
