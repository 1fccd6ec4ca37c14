import { generateKeyPairSync, randomBytes } from "node:crypto";
import { systemClock } from "./clock.ts";
import { peopleRoutes } from "./http/people-routes.ts";
import { listen } from "./http/server.ts";
import { WebhookSender } from "./http/webhook-sender.ts";
import type { LocalBotApi, LocalBotApiOptions } from "./interface.ts";
import { inFile, inMemory } from "./keeping/state-file.ts";
import { LiveTelegram } from "./people/telegram.ts";
import { EventLog } from "./world/event-log.ts";
import { FloodControl, TELEGRAM_LIMITS } from "./world/flood.ts";
import { noPassing, type World } from "./world/world.ts";

export { ManualClock, systemClock } from "./clock.ts";
export type * from "./interface.ts";
export { CallbackExpired } from "./people/buttons.ts";
export type { PeopleCommand } from "./people/commands.ts";
export { PeopleError } from "./people/speaking.ts";
export { TELEGRAM_LIMITS } from "./world/flood.ts";

/**
 * Starts a Bot API on this machine. Bots of any framework are pointed at `url`; people act through `telegram`.
 * @throws Error when the port is taken, or `file` holds something else
 */
export async function startLocalBotApi(options: LocalBotApiOptions = {}): Promise<LocalBotApi> {
  const { port = 0, host = "127.0.0.1", clock = systemClock, random = randomBytes, limits = {} } = options;
  const initDataKey = options.initDataKey ?? generateKeyPairSync("ed25519").privateKey;
  const keeping = options.file === undefined ? inMemory() : await inFile(options.file);
  const world: World = {
    state: keeping.state,
    clock,
    random,
    events: new EventLog(() => clock.now()),
    flood: limits === "off" ? undefined : new FloodControl({ ...TELEGRAM_LIMITS, ...limits }),
    passing: noPassing(),
    changed: () => keeping.changed(),
    kept: () => keeping.kept(),
    blobs: keeping.blobs,
  };
  const webhooks = new WebhookSender(world);
  const telegram = new LiveTelegram(world, initDataKey);
  const server = await listen(
    {
      world,
      kept: () => world.kept(),
      people: peopleRoutes({ world, telegram, origins: options.origins ?? [] }),
    },
    { host, port },
  );
  const close = async () => {
    webhooks.close();
    await server.close();
    for (const drafts of world.passing.drafts.values()) for (const draft of drafts) draft.cancelExpiry();
    for (const { cancel } of world.passing.actions.values()) cancel();
    await world.kept();
  };
  return { url: server.url, telegram, close, [Symbol.asyncDispose]: close };
}
