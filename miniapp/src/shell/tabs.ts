import { type ComponentType, lazy } from "react";
import type { IconName } from "../components/icon.tsx";

export interface Tab {
  readonly path: string;
  /** What wouter matches: the tab and everything below it. */
  readonly route: string;
  readonly icon: IconName;
  /** Message id. */
  readonly title: string;
  readonly Component: ComponentType;
}

const chat = () => import("../chat/chat-tab.tsx").then(({ ChatTab }) => ({ default: ChatTab }));
// The tab that opens first is fetched beside the first paint, not after it.
const chatModule = chat();
chatModule.catch(() => undefined);

/** Every tab is a chunk of its own, loaded when it is first shown. */
export const tabs: readonly Tab[] = [
  { path: "/", route: "/", icon: "chat", title: "tab-chat", Component: lazy(() => chatModule.catch(chat)) },
  {
    path: "/network",
    route: "/network/*?",
    icon: "network",
    title: "tab-network",
    Component: lazy(() =>
      import("../network-tab/network-tab.tsx").then(({ NetworkTab }) => ({ default: NetworkTab })),
    ),
  },
  {
    path: "/earn",
    route: "/earn/*?",
    icon: "coins",
    title: "tab-earn",
    Component: lazy(() => import("../earn/earn-tab.tsx").then(({ EarnTab }) => ({ default: EarnTab }))),
  },
  {
    path: "/wallet",
    route: "/wallet/*?",
    icon: "wallet",
    title: "tab-wallet",
    Component: lazy(() =>
      import("../wallet/wallet-tab.tsx").then(({ WalletTab }) => ({ default: WalletTab })),
    ),
  },
];
