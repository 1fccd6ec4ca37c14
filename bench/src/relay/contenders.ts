import { fileURLToPath } from "node:url";
import { type BombyxRelay, bombyxRelay } from "./bombyx-relay.ts";
import { directRelay, nginxRelay, portkeyRelay, type Relay } from "./peers.ts";
import { loadCore, type Running, sourceFlags, startPinned } from "./pinned.ts";

const sseSource = fileURLToPath(new URL("./sse-source.ts", import.meta.url));
/** 20 tokens/s. */
export const tokenGapMs = 50;
export const tickMs = 80;
/** A private tick carries 1.6 tokens. */
export const tokensPerTick = tickMs / tokenGapMs;
/** Tokens of a stream: eight seconds. */
export const streamTokens = 160;
/** As many as Portkey's most, three times. */
const plainSessions = 2_000;

/** What is measured side by side. Each is started when a section asks for it first, and all are stopped together. */
export class Contenders {
  readonly missing: string[] = [];
  /** Where the gateway of {@link sealed} opens an inspector when it is asked to. */
  readonly inspectorPort: number;
  readonly #sealedFlags: readonly string[];
  readonly #started: { stop(): Promise<void> }[] = [];
  #source: Promise<Running> | undefined;
  #nginx: Promise<Relay | undefined> | undefined;
  #portkey: Promise<Relay | undefined> | undefined;
  #plain: Promise<BombyxRelay> | undefined;
  #sealed: Promise<BombyxRelay> | undefined;
  #ticking: Promise<BombyxRelay> | undefined;

  /** @param sealedFlags options of Node for the gateway of {@link sealed}, to look into it. */
  constructor(sealedFlags: readonly string[], inspectorPort: number) {
    this.#sealedFlags = [`--inspect-port=127.0.0.1:${inspectorPort}`, ...sealedFlags];
    this.inspectorPort = inspectorPort;
  }

  async direct(): Promise<Relay> {
    return directRelay(await this.#sourceUrl());
  }

  nginx(): Promise<Relay | undefined> {
    this.#nginx ??= this.#peer(nginxRelay, "nginx (Debian: apt-get install nginx-light)");
    return this.#nginx;
  }

  portkey(): Promise<Relay | undefined> {
    this.#portkey ??= this.#peer(portkeyRelay, "@portkey-ai/gateway (npm ci --prefix bench/peers)");
    return this.#portkey;
  }

  /** Direct, and the peers that are installed. */
  async peers(): Promise<Relay[]> {
    const all = [await this.direct(), await this.nginx(), await this.portkey()];
    return all.filter((relay) => relay !== undefined);
  }

  /** Ours without sealing at the two ends. */
  plain(): Promise<BombyxRelay> {
    this.#plain ??= this.#ours({ sealed: false, sessions: plainSessions });
    return this.#plain;
  }

  sealed(): Promise<BombyxRelay> {
    this.#sealed ??= this.#ours({ sealed: true, nodeFlags: this.#sealedFlags });
    return this.#sealed;
  }

  /** Sealed, with a frame for every tick instead of every token. */
  ticking(): Promise<BombyxRelay> {
    this.#ticking ??= this.#ours({ sealed: true, gapMs: tickMs, frames: streamTokens / tokensPerTick });
    return this.#ticking;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#started.map((one) => one.stop()));
    await (await this.#source)?.stop();
  }

  async #ours(options: Partial<Parameters<typeof bombyxRelay>[0]> & { sealed: boolean }) {
    const relay = await bombyxRelay({ gapMs: tokenGapMs, frames: streamTokens, sessions: 500, ...options });
    this.#started.push(relay);
    return relay;
  }

  async #peer(
    start: (source: string) => Promise<Relay | undefined>,
    name: string,
  ): Promise<Relay | undefined> {
    const relay = await start(await this.#sourceUrl());
    if (relay) this.#started.push(relay);
    else this.missing.push(name);
    return relay;
  }

  async #sourceUrl(): Promise<string> {
    this.#source ??= startPinned(loadCore, [process.execPath, ...sourceFlags, sseSource], {
      GAP_MS: String(tokenGapMs),
    });
    return `http://127.0.0.1:${(await this.#source).ready.port}`;
  }
}
