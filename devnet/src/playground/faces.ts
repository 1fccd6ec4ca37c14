import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import {
  type Deployment,
  type MiniappHost,
  startMiniappHost,
  type WalletEntry,
} from "../miniapp/serve-miniapp.ts";
import type { DevnetPolicy, Milestones, Network } from "../network.ts";
import { type BotReady, botFolder, botProcess, type TelegramAccess } from "../processes/bot.ts";
import { keepBotKey } from "../processes/gateway.ts";
import { type KeptAlive, keepAlive, type Revival } from "../processes/kept-alive.ts";
import { preferredPort } from "../processes/port.ts";
import type { StateDirectory } from "../state/state-directory.ts";
import type { LocalBotApi } from "../telegram/bot-api/interface.ts";
import { startLocalBotApi } from "../telegram/bot-api/local-bot-api.ts";
import type { LocalWallet } from "../wallet/local-wallet.ts";
import { builtMiniapp, builtPlayground } from "./pages.ts";
import { type PlaygroundHost, startPlaygroundHost } from "./playground-host.ts";
import { type PublicAddress, phonePolicy, serversBehind } from "./public-address.ts";
import { type Stage, setStage } from "./stage.ts";
import { settle, type Townspeople } from "./townspeople.ts";

const botStopMs = 3_500;
const telegramFile = "telegram.json";

export interface FaceOptions {
  /** Preferred ports; a busy one is replaced by a free one, 0 takes any. */
  readonly facePorts: { readonly playground: number; readonly miniapp: number; readonly botApi: number };
  /** A bot at the real Telegram in place of the local one. */
  readonly realTelegram?: RealTelegram | undefined;
  /** Told when the bot is gone, and when it is back. */
  readonly onBot?: (change: Revival) => void;
  /** Wallets that the Mini App offers in place of the devnet's own. */
  readonly wallets?: readonly WalletEntry[];
  /** What runs as the bot; a test of the page may bring its own. */
  readonly botProcess?: typeof botProcess;
}

export interface RealTelegram extends Omit<TelegramAccess, "apiRoot"> {
  /** Under which phones reach the Mini App's port of this machine; without it there is no Mini App. */
  readonly publicUrl?: PublicAddress | undefined;
}

export interface OpenMiniapp {
  readonly url: string;
  /** Puts another build in its place, at the same address. */
  deploy(folder: string): void;
}

export interface OpenFaces {
  readonly playground: { readonly url: string };
  /** Absent with a real bot that has no public address. */
  readonly miniapp: OpenMiniapp | undefined;
  /** Absent with a real bot. */
  readonly botApi: LocalBotApi | undefined;
  readonly townspeople: Townspeople | undefined;
  readonly bot: KeptAlive<BotReady>;
  readonly botUsername: string;
  /** Absent with a real bot: people bring their own. */
  readonly wallet: LocalWallet | undefined;
}

/** Bot, Mini App and playground beside a network that is coming up. */
export interface Faces {
  /** For the network: each begins what can begin then. */
  readonly milestones: Milestones;
  /** Waits for what is not ready yet, and lets people in. @throws Error in the words of what does not come up. */
  open(network: Network, explorer?: string): Promise<OpenFaces>;
}

/** Where the two faces are reached, and what is kept for them. */
interface Ground {
  readonly state: StateDirectory;
  readonly host: PlaygroundHost;
  readonly miniapp: MiniappHost;
  readonly local: { readonly botApi: LocalBotApi; readonly townspeople: Townspeople } | undefined;
  /** Address of the Mini App, as people open it. */
  readonly address: string | undefined;
}

/** @param giveUp called when a part does not come up: the network need not go on. */
export function prepareFaces(
  options: FaceOptions & { readonly model: { readonly id: string }; onReady?: (part: string) => void },
  giveUp: (reason: unknown) => void,
): Faces {
  const { facePorts, realTelegram, onReady, model } = options;
  const ended = new AbortController();
  let ground: Ground | undefined;
  let deployment: Promise<Pick<Deployment, "folder" | "chainEndpoints">> | undefined;
  let policyFile = "";
  /** From its first start on, so that it can be stopped before it is ready. */
  let bot: KeptAlive<BotReady> | undefined;
  let running: Promise<KeptAlive<BotReady>> | undefined;
  let stage: Stage | undefined;
  /** Says that it is ready; a failure ends the start, and is thrown once, by `open`. */
  const awaited = <T>(part: string, work: Promise<T>): Promise<T> => {
    work.then(() => onReady?.(part), giveUp);
    return work;
  };
  const page = awaited("playground", builtPlayground(ended.signal));

  async function opened(state: StateDirectory): Promise<Record<string, string>> {
    const host = await startPlaygroundHost(await preferredPort(facePorts.playground));
    const miniapp = await startMiniappHost(await preferredPort(facePorts.miniapp));
    ground = { state, host, miniapp, local: undefined, address: realTelegram?.publicUrl };
    if (realTelegram) return realTelegram.publicUrl ? { BOMBYX_ORIGINS: realTelegram.publicUrl } : {};
    const file = state.path(telegramFile);
    // What a bot remembers of another Telegram (updates, its profile) is not true of a new one.
    if (!existsSync(file)) await rm(state.path(botFolder), { recursive: true, force: true });
    const botApi = await startLocalBotApi({ port: await preferredPort(facePorts.botApi), file });
    const townspeople = await settle(botApi);
    ground = { ...ground, local: { botApi, townspeople }, address: miniapp.origin };
    return {
      BOMBYX_ORIGINS: miniapp.origin,
      BOMBYX_INIT_DATA_KEYS: botApi.telegram.initDataPublicKey,
    };
  }

  async function build({ state }: Ground, file: string, policy: DevnetPolicy) {
    const seen = realTelegram?.publicUrl ? phonePolicy(policy, realTelegram.publicUrl) : policy;
    const compiled =
      seen === policy
        ? file
        : await state.write("policy-phone.js", `export default ${JSON.stringify(seen, undefined, 2)};\n`);
    const folder = await builtMiniapp(state.path("pages"), compiled, ended.signal);
    return { folder, chainEndpoints: seen.chainEndpoints };
  }

  async function keepBot({ state, local, address }: Ground, gateway: string): Promise<KeptAlive<BotReady>> {
    const telegram = realTelegram ?? {
      token: local?.townspeople.bot.token ?? "",
      apiRoot: local?.botApi.url,
    };
    const apiKey = await keepBotKey(state, botIdOf(telegram.token));
    const start = options.botProcess ?? botProcess;
    const kept = keepAlive(
      () =>
        start({
          state,
          telegram,
          gateway,
          apiKey,
          policyFile,
          model: model.id,
          // The first of the townspeople buys, the second gives back.
          operatorId: local?.townspeople.persons[1]?.id,
          publicUrl: address,
        }),
      (change) => {
        stage?.changed();
        options.onBot?.(change);
      },
    );
    bot = kept;
    await kept.ready;
    return kept;
  }

  return {
    milestones: {
      opened,
      policy: (file, policy) => {
        policyFile = file;
        if (ground?.address !== undefined) deployment = awaited("Mini App", build(ground, file, policy));
      },
      gateway: (url) => {
        if (ground) running = awaited("bot", keepBot(ground, url));
      },
      stopping: async () => {
        ended.abort();
        stage?.[Symbol.dispose]();
        await bot?.stop(botStopMs);
        await ground?.local?.botApi.close();
        await Promise.all([ground?.host[Symbol.asyncDispose](), ground?.miniapp[Symbol.asyncDispose]()]);
      },
    },
    async open(network, explorer) {
      const [folder, built, kept] = await Promise.all([page, deployment, running]);
      if (!ground || !kept) throw new Error("The faces of a network open after it has come up.");
      const { host, miniapp, local, address } = ground;
      const { username } = await kept.ready;
      const { keepWallet } = await import("../wallet/keep-wallet.ts");
      const wallet = local && (await keepWallet(network.state, network.ton));
      wallet?.onChange(() => stage?.changed());
      const deploy = (folder: string) =>
        miniapp.deploy({
          folder,
          chainEndpoints: built?.chainEndpoints ?? [],
          gateway: address !== undefined && realTelegram ? address : network.gateway.url,
          botId: botIdOf(local?.townspeople.bot.token ?? realTelegram?.token ?? ""),
          // A local bot is not to be found at t.me.
          ...(realTelegram && { botUsername: username }),
          ...(wallet && { wallet }),
          ...(options.wallets && { wallets: options.wallets }),
          embedder: realTelegram ? "https://web.telegram.org" : host.origin,
          ...(realTelegram && { behind: serversBehind(network.gateway.url, network.policy.chainEndpoints) }),
        });
      if (built) deploy(built.folder);
      stage = setStage(network, () => ({
        bot: { at: realTelegram ? "telegram" : "playground", username, state: kept.state },
        miniapp: local ? miniapp.origin : undefined,
        model: model.id,
        explorer,
        wallet: wallet?.requests ?? [],
      }));
      const answerWallet = (id: number, yes: boolean) => wallet?.answer(id, yes);
      host.open({ ...stage, answerWallet, folder, miniappOrigin: miniapp.origin, botApi: local?.botApi.url });
      return {
        playground: { url: host.origin },
        miniapp: built && address !== undefined ? { url: address, deploy } : undefined,
        botApi: local?.botApi,
        townspeople: local?.townspeople,
        bot: kept,
        botUsername: username,
        wallet,
      };
    },
  };
}

const botIdOf = (token: string): number => Number(token.split(":")[0]);
