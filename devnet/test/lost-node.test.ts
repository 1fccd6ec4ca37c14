import { BombyxClient, type ClientEvent } from "@bombyx/sdk";
import { describe, expect, it } from "vitest";
import { startNetwork, type TestNetwork } from "./network.ts";
import "./patience.ts";
import { chunks, collect, post, user } from "./sse.ts";

const story = "Please tell me a story about a penguin.";

describe("a node that is lost", () => {
  it("mid-answer leaves one continuous answer, the same that one node alone would give", async () => {
    await using network = await startNetwork();
    const { client, events } = witness(network);
    const request = { model: network.model, messages: user(story), temperature: 0 };
    const undisturbed = await client.chat.completions.create(request);
    const expected = undisturbed.choices[0]?.message.content ?? "";
    expect(expected.length).toBeGreaterThan(80);

    let text = "";
    let killed: string | undefined;
    for await (const chunk of await client.chat.completions.create({ ...request, stream: true })) {
      text += chunk.choices[0]?.delta.content ?? "";
      if (killed === undefined && text.length > 30) {
        killed = serving(events);
        await network.killNode(killed);
      }
    }
    client.close();
    expect(events).toContainEqual(expect.objectContaining({ type: "lost", node: killed, midAnswer: true }));
    expect(text).toBe(expected);
  });

  it("before its first token is not seen by the application at all", async () => {
    await using network = await startNetwork();
    const { client, events } = witness(network);
    await client.prepare({ model: network.model });
    const first = serving(events);
    await network.killNode(first);
    const stream = await client.chat.completions.create({
      model: network.model,
      messages: user("What is the capital of France?"),
      temperature: 0,
      stream: true,
    });
    let text = "";
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
    client.close();
    expect(text).toContain("Paris");
    expect(events).toContainEqual(expect.objectContaining({ type: "lost", node: first, midAnswer: false }));
  });

  it("does not end the network: the proxy answers from the one that is left", async () => {
    await using network = await startNetwork();
    const [first] = network.nodes;
    if (!first) throw new Error("this network has no node");
    await network.killNode(first.node);
    const asked = { model: network.model, messages: user("What is the capital of France?"), stream: true };
    const answer = await collect(
      chunks(await post({ proxy: network.proxy.url, apiKey: network.apiKey }, "/chat/completions", asked)),
    );
    expect(answer.text).toContain("Paris");
  });
});

/** A client, and what it tells its observer. */
function witness(network: TestNetwork): { client: BombyxClient; events: ClientEvent[] } {
  const { gateway, apiKey, policy } = network;
  const client = new BombyxClient({ gateway: gateway.url, apiKey, policy });
  const events: ClientEvent[] = [];
  client.observe((event) => events.push(event));
  return { client, events };
}

/** The node that the client's requests go to: its last session that is not a standby. */
function serving(events: readonly ClientEvent[]): string {
  const session = events.findLast((event) => event.type === "session" && !event.standby);
  if (session?.type !== "session") throw new Error("no session was opened");
  return session.node;
}
