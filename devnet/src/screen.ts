import type { Devnet } from "./devnet.ts";
import type { FoundModel } from "./models/found-model.ts";
import { shellQuoted, startLine } from "./models/model-caches.ts";
import type { Network } from "./network.ts";

/** A request that streams an answer when pasted into a shell; the key stays in its file. */
export function curlLine(
  network: { readonly proxy: { readonly url: string } } & Pick<Network, "apiKeyFile" | "model">,
): string {
  const body = {
    model: network.model,
    stream: true,
    messages: [{ role: "user", content: "Tell me a story about a penguin." }],
  };
  return [
    `curl -N ${network.proxy.url}/chat/completions`,
    `-H "Authorization: Bearer $(cat ${shellQuoted(network.apiKeyFile)})"`,
    "-H 'Content-Type: application/json'",
    `-d '${JSON.stringify(body)}'`,
  ].join(" \\\n    ");
}

/** What a person sees when everything is up; the first thing to open comes first. */
export function summary(network: Devnet, startedInMs: number): string {
  const nodes = network.nodes.map((node) => `${node.name} (process ${node.pid})`).join(", ");
  const rows = [
    ["Mini App", network.miniapp?.url ?? "–", network.miniapp ? "" : "needs PUBLIC_URL, an https address"],
    [
      "Bot API",
      network.botApi?.url ?? "https://api.telegram.org",
      network.botApi ? "for any bot of yours" : "",
    ],
    ["endpoint", network.proxy.url, "OpenAI-compatible, on this machine; verifies and seals"],
    ["key", network.apiKeyFile, ""],
    ["model", network.model, ""],
    ["gateway", network.gateway.url, "relays what it cannot read"],
    ["metrics", network.gateway.metrics, ""],
    ["nodes", nodes, ""],
    ["chain", network.chain.map((server) => server.url).join("  "), "local TON, toncenter's API"],
    ["explorer", network.settled.explorer.url, "its transactions in words, a faucet, time to skip"],
    ["logs", network.state.path("logs"), ""],
  ].map(([name = "", value = "", note = ""]) => `  ${name.padEnd(10)}${value}${note && `   ${note}`}`);
  return [
    `\nBombyx is up after ${(startedInMs / 1_000).toFixed(1)} s. Open this and talk to it:\n`,
    `  ${network.playground.url}`,
    "",
    ...(network.botApi ? [] : [`Your bot answers at Telegram: https://t.me/${network.botUsername}`, ""]),
    ...rows,
    "",
    "Simulated: the TDX hardware (its quotes come from a root that this devnet made for itself, so they prove",
    `nothing to anybody else), ${network.botApi ? "Telegram, " : ""}and the chain (TON's executor, one block a second). All else is what ships.`,
    "",
    "Stream an answer:\n",
    `  ${curlLine(network)}`,
    "",
    "Ctrl-C stops everything.",
    "",
  ].join("\n");
}

/** Models that other programs left here, with the line that starts each; empty when there are none. */
export function offers(models: readonly FoundModel[]): string {
  if (models.length === 0) return "";
  const lines = models.map(
    (model) => `  ${startLine(model)}\n      ${model.program}: ${model.name}, ${size(model.bytes)}`,
  );
  return ["Models found on this machine; none is used unless you say so:", ...lines, ""].join("\n");
}

const size = (bytes: number): string =>
  bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.max(1, Math.round(bytes / 1e6))} MB`;
