import type { IncomingMessage, ServerResponse } from "node:http";
import type { WalletRequest } from "../wallet/wallet-request.ts";
import { forward } from "../web/forward.ts";
import { refusal } from "../web/local-guard.ts";
import { startLocalServer } from "../web/local-server.ts";
import { pageHeaders } from "../web/page-headers.ts";
import { eventStream, json } from "../web/respond.ts";
import { sendFile } from "../web/static-files.ts";

/** What the strip above the two panes shows. */
export interface Scene {
  readonly nodes: readonly NodeReport[];
  readonly bot: BotReport;
  /** Origin of the Mini App in the frame, an origin of its own as on a phone; absent when the bot is at the real Telegram. */
  readonly miniapp?: string | undefined;
  readonly model: string;
  /** Page that shows the local chain. */
  readonly explorer?: string | undefined;
  /** What this devnet's wallet is asked, and nobody has answered yet; oldest first. */
  readonly wallet: readonly WalletRequest[];
}

export interface NodeReport {
  readonly name: string;
  /** Node id, hex. */
  readonly node: string;
  /** Absent for a node that somebody else started and paired with this network. */
  readonly pid?: number;
  readonly state: "starting" | "serving" | "gone";
  /** Answers under way and those that fit at once; absent until the gateway tells. */
  readonly load?: { readonly active: number; readonly slots: number };
  /** Tokens a second that the node measured for itself; absent until the gateway tells. */
  readonly tokensPerSecond?: number;
}

export interface BotReport {
  readonly at: "playground" | "telegram";
  readonly username: string;
  readonly state: "running" | "restarting";
}

export interface PlaygroundParts {
  /** Folder of the built page. */
  readonly folder: string;
  readonly miniappOrigin: string;
  /** The local Bot API, whose people the page acts for; absent when the bot is at the real Telegram. */
  readonly botApi?: string | undefined;
  scene(): Scene;
  /** Hears each change of the scene. @returns what stops it. */
  onScene(listener: (scene: Scene) => void): () => void;
  /** @throws Error that says why not. */
  killNode(name: string): Promise<void>;
  /** @throws Error that says why not. */
  startNode(name: string): Promise<void>;
  /** @throws Error that says why not. */
  answerWallet(id: number, yes: boolean): void;
}

/** The playground's server. Its origin is known before its parts are, because others admit pages by origin. */
export interface PlaygroundHost extends AsyncDisposable {
  readonly origin: string;
  open(parts: PlaygroundParts): void;
}

/** @param port 0 takes any free port. */
export async function startPlaygroundHost(port: number): Promise<PlaygroundHost> {
  let opened: PlaygroundParts | undefined;
  const { origin, [Symbol.asyncDispose]: dispose } = await startLocalServer(
    port,
    (origin, request, response) => {
      // The same machine by its other name; pages are framed by origin, so there is one only.
      if (
        request.headers.host === `localhost:${new URL(origin).port}` &&
        request.url?.split("?")[0] === "/"
      ) {
        response.writeHead(307, { location: `${origin}${request.url}` }).end();
        return;
      }
      const reason = refusal({ method: request.method ?? "GET", headers: request.headers }, origin);
      if (reason !== undefined) json(response, 403, { error: reason });
      else if (opened === undefined) json(response, 503, { error: "The playground is starting." });
      else route(opened, request, response).catch((error: unknown) => refuse(response, error));
    },
  );
  return {
    origin,
    open: (parts) => {
      opened = parts;
    },
    [Symbol.asyncDispose]: dispose,
  };
}

async function route(parts: PlaygroundParts, request: IncomingMessage, response: ServerResponse) {
  const url = new URL(request.url ?? "/", "http://host");
  const command = /^\/nodes\/([a-z]{1,16})\/(kill|start)$/.exec(url.pathname);
  if (command && request.method === "POST") {
    const [, name = "", verb] = command;
    await (verb === "kill" ? parts.killNode(name) : parts.startNode(name));
    json(response, 200, parts.scene());
    return;
  }
  const asked = /^\/wallet\/([0-9]{1,9})\/(approve|reject)$/.exec(url.pathname);
  if (asked && request.method === "POST") {
    parts.answerWallet(Number(asked[1]), asked[2] === "approve");
    json(response, 200, parts.scene());
    return;
  }
  if (url.pathname.startsWith("/_people/") && parts.botApi !== undefined) {
    forward(request, response, `${parts.botApi}${url.pathname}${url.search}`);
    return;
  }
  if (request.method !== "GET") {
    json(response, 405, { error: "There is nothing here to change." });
    return;
  }
  if (url.pathname === "/scene") json(response, 200, parts.scene());
  else if (url.pathname === "/scene/events") followScene(parts, response);
  // The page shows what a model wrote, and the Mini App in its frame.
  else
    sendFile(
      parts.folder,
      url.pathname,
      pageHeaders({ "img-src": "data: blob:", "frame-src": parts.miniappOrigin }),
      response,
    );
}

/** The scene at once, and again whenever it changes. */
function followScene(parts: PlaygroundParts, response: ServerResponse): void {
  eventStream(response, (tell) => {
    const tellScene = (scene: Scene) => tell(JSON.stringify(scene));
    tellScene(parts.scene());
    return parts.onScene(tellScene);
  });
}

function refuse(response: ServerResponse, error: unknown): void {
  json(response, 409, { error: error instanceof Error ? error.message : String(error) });
}
