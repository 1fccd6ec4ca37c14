/** Leads to the document that speaks to wallets (PROTOCOL §11), and by its back button to the tab again. */
export const openWalletDocument = (doing: "connect" | "claim"): void =>
  location.assign(`wallet.html?do=${doing}`);
