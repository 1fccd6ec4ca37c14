import { devnetPage } from "../../web/devnet-page.ts";

/** The explorer's page. */
export const builtExplorer = (signal: AbortSignal): Promise<string> =>
  devnetPage(
    "explorer",
    {
      folder: "devnet/src/chain/explorer/page",
      imports: ["devnet/src/chain/explorer/report.ts", "devnet/src/chain/explorer/gram.ts"],
    },
    signal,
  );
