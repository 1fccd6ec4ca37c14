// TON Connect's JS bridge, as a wallet's own browser puts it into a page. The wallet itself is on the page's server:
// what it is asked is shown in the playground, and answered there.
(() => {
  const ask = async (path, body) => {
    const response = await fetch(`/_wallet/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`The wallet answered HTTP ${response.status}.`);
    return response.json();
  };
  window.bombyxDevnetWallet = {
    tonconnect: {
      deviceInfo: {
        platform: "browser",
        appName: "bombyx-devnet-wallet",
        appVersion: "1",
        maxProtocolVersion: 2,
        features: ["SendTransaction", { name: "SendTransaction", maxMessages: 4 }],
      },
      protocolVersion: 2,
      isWalletBrowser: false,
      connect: (_version, request) => ask("connect", request),
      restoreConnection: () => ask("restore", {}),
      send: (request) => ask("send", request),
      listen: () => () => undefined,
      disconnect: () => void ask("disconnect", {}),
    },
  };
})();
