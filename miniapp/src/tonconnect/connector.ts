import type { WalletProof } from "@bombyx/sdk/wallet";
import {
  encodeTelegramUrlParameters,
  isTelegramUrl,
  isWalletInfoCurrentlyInjected,
  isWalletInfoRemote,
  type SendTransactionRequest,
  TonConnect,
  UserRejectsError,
  type Wallet,
  type WalletInfo,
  WalletWrongNetworkError,
} from "@tonconnect/sdk";

/** Why a wallet did not do what it was asked. */
export class WalletRefusal extends Error {
  readonly why: "rejected" | "network" | "unproven" | "broken";

  constructor(why: WalletRefusal["why"], cause?: unknown) {
    super(`the wallet did not agree: ${why}`, { cause });
    this.why = why;
  }
}

export interface Connected {
  /** Raw. */
  readonly address: string;
  readonly name: string;
  /** Messages that it sends in one transaction. */
  readonly maxMessages: number;
  /** Brings the wallet to the front, where it is another app. */
  readonly link: string | undefined;
}

/**
 * TON Connect, without its own screens: they want inline styles, pictures of other hosts and a list from the network,
 * none of which this page's policy admits.
 */
export class Connector {
  readonly #sdk: TonConnect;
  readonly #returnUrl: string | undefined;
  readonly #globalId: number;
  #list: Promise<WalletInfo[]> | undefined;

  /** @param returnUrl where a wallet leads back to: the bot, inside Telegram */
  constructor(options: {
    readonly storage: Storage | undefined;
    readonly user: number | undefined;
    readonly globalId: number;
    readonly returnUrl: string | undefined;
  }) {
    this.#returnUrl = options.returnUrl;
    this.#globalId = options.globalId;
    this.#sdk = new TonConnect({
      manifestUrl: new URL("tonconnect-manifest.json", location.href).href,
      walletsListSource: new URL("wallets.json", location.href).href,
      analytics: { mode: "off" },
      // Another account of Telegram in the same browser has its own wallet.
      storage: storageFor(options.storage, `bombyx/tonconnect/${options.user ?? ""}/`),
    });
    this.#sdk.setConnectionNetwork(String(options.globalId));
  }

  /** Those that this device can reach. */
  async wallets(): Promise<readonly WalletInfo[]> {
    this.#list ??= this.#sdk.getWallets();
    return (await this.#list).filter(
      (wallet) => isWalletInfoCurrentlyInjected(wallet) || isWalletInfoRemote(wallet),
    );
  }

  /** The wallet of the last visit, if it still stands by it. */
  async restored(): Promise<Connected | undefined> {
    await this.#sdk.restoreConnection({ openingDeadlineMS: 8_000 });
    return this.#sdk.wallet ? await this.#describe(this.#sdk.wallet) : undefined;
  }

  /**
   * Asks a wallet for its address and its proof.
   * @param onLink told the link that opens the wallet; never for one inside this browser
   * @throws WalletRefusal; the signal's reason
   */
  async connect(
    info: WalletInfo,
    payload: string,
    onLink: (link: string) => void,
    signal: AbortSignal,
  ): Promise<{ readonly connected: Connected; readonly proof: WalletProof }> {
    if (this.#sdk.connected) await this.#sdk.disconnect();
    const answer = new Promise<Wallet>((resolve, reject) => {
      const stop = this.#sdk.onStatusChange(
        (wallet) => {
          if (wallet) end(() => resolve(wallet));
        },
        (error) => end(() => reject(refusalOf(error))),
      );
      const gone = () => end(() => reject(signal.reason));
      signal.addEventListener("abort", gone, { once: true });
      function end(settle: () => void) {
        stop();
        signal.removeEventListener("abort", gone);
        settle();
      }
    });
    answer.catch(() => undefined);
    const options = { request: { tonProof: payload }, signal };
    if (isWalletInfoCurrentlyInjected(info)) this.#sdk.connect({ jsBridgeKey: info.jsBridgeKey }, options);
    else if (isWalletInfoRemote(info)) {
      const { universalLink, bridgeUrl } = info;
      onLink(this.#withReturn(this.#sdk.connect({ universalLink, bridgeUrl }, options)));
    }
    const wallet = await answer;
    const { address, chain, publicKey, walletStateInit } = wallet.account;
    const item = wallet.connectItems?.tonProof;
    if (!item || !("proof" in item) || publicKey === undefined) throw new WalletRefusal("unproven");
    return {
      connected: await this.#describe(wallet),
      proof: { address, network: chain, publicKey, walletStateInit, proof: item.proof },
    };
  }

  /**
   * Asks for a transfer; the wallet may answer late, or never.
   * @returns what it says that it sent: a hint, and no proof of anything
   * @throws WalletRefusal; the signal's reason
   */
  async send(request: SendTransactionRequest, signal: AbortSignal): Promise<string> {
    try {
      const { boc } = await this.#sdk.sendTransaction(request, { signal });
      return boc;
    } catch (error) {
      signal.throwIfAborted();
      throw refusalOf(error);
    }
  }

  async disconnect(): Promise<void> {
    if (this.#sdk.connected) await this.#sdk.disconnect();
  }

  async #describe({ account, device }: Wallet): Promise<Connected> {
    const info = (await this.wallets()).find(({ appName }) => appName === device.appName);
    const feature = device.features.find((one) => typeof one === "object" && one.name === "SendTransaction");
    const link =
      info && isWalletInfoRemote(info) && !isWalletInfoCurrentlyInjected(info)
        ? info.universalLink
        : undefined;
    if (account.chain !== String(this.#globalId)) throw new WalletRefusal("network");
    return {
      address: account.address,
      name: info?.name ?? device.appName,
      maxMessages: typeof feature === "object" && "maxMessages" in feature ? feature.maxMessages : 1,
      link: link && this.#withReturn(isTelegramUrl(link) ? telegramStart(link) : link),
    };
  }

  /** Wallets inside Telegram do not find back by themselves. */
  #withReturn(link: string): string {
    const ret = new URLSearchParams({ ret: this.#returnUrl ?? "back" }).toString();
    const isTelegram: boolean = isTelegramUrl(link);
    if (isTelegram) return `${link}-${encodeTelegramUrlParameters(ret)}`;
    return `${link}${link.includes("?") ? "&" : "?"}${ret}`;
  }
}

/** A Mini App's own address, opened with nothing to say. */
function telegramStart(link: string): string {
  const url = new URL(link);
  if (url.searchParams.has("attach")) {
    url.searchParams.delete("attach");
    url.pathname += "/start";
  }
  url.searchParams.set("startapp", "tonconnect");
  return url.href;
}

function refusalOf(error: unknown): WalletRefusal {
  if (error instanceof WalletRefusal) return error;
  if (error instanceof UserRejectsError) return new WalletRefusal("rejected", error);
  if (error instanceof WalletWrongNetworkError) return new WalletRefusal("network", error);
  return new WalletRefusal("broken", error);
}

function storageFor(storage: Storage | undefined, prefix: string) {
  const memory = new Map<string, string>();
  return {
    getItem: async (key: string) => (storage ? storage.getItem(prefix + key) : (memory.get(key) ?? null)),
    setItem: async (key: string, value: string) => {
      if (storage) storage.setItem(prefix + key, value);
      else memory.set(key, value);
    },
    removeItem: async (key: string) => {
      if (storage) storage.removeItem(prefix + key);
      else memory.delete(key);
    },
  };
}
