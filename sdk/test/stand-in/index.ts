import { BombyxClient, type ClientEvent, type ClientOptions } from "@bombyx/sdk";
import { StandInGateway } from "./gateway.ts";
import type { NodeOptions } from "./node.ts";
import { saying } from "./script.ts";
import { TestWorld } from "./world.ts";

export const story = "Silk is spun by one who never sees the robe it becomes, and sleeps while it is read.";

export interface Stage {
  readonly world: TestWorld;
  readonly gateway: StandInGateway;
  readonly client: BombyxClient;
  readonly events: ClientEvent[];
}

/** A world, a gateway with nodes (two that tell {@link story} unless given) and a client of it. */
export async function stage(
  nodes: NodeOptions[] = [
    { name: "alpha", script: saying(story) },
    { name: "beta", script: saying(story) },
  ],
  options: Partial<ClientOptions> = {},
): Promise<Stage> {
  const world = await TestWorld.create();
  const gateway = await StandInGateway.create(world, ...nodes);
  const client = new BombyxClient({
    gateway: gateway.url,
    apiKey: gateway.apiKey,
    policy: { ...world.policy(), tickMs: 0 },
    fetch: gateway.fetch,
    ...options,
  });
  const events: ClientEvent[] = [];
  client.observe((event) => events.push(event));
  return { world, gateway, client, events };
}

export const ask = {
  model: "spark",
  messages: [{ role: "user", content: "Who spins? CANARY-7f3a" }],
} as const;

export async function textOf(
  stream: AsyncIterable<{ choices: { delta: { content?: string } }[] }>,
): Promise<string> {
  let text = "";
  for await (const { choices } of stream) text += choices[0]?.delta.content ?? "";
  return text;
}
