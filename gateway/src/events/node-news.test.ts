import type { AccountEvent } from "@bombyx/protocol/wire";
import { beforeEach, expect, it } from "vitest";
import { RateLimiter } from "../accounts/rate-limit.ts";
import { NodeNews } from "./node-news.ts";

const node = { id: "ab".repeat(32), owner: "person:1:2", machine: "m1", name: "alder", refusal: undefined };
let told: Omit<AccountEvent, "id" | "at">[];
let later: (() => void)[];
let news: NodeNews;

beforeEach(() => {
  told = [];
  later = [];
  news = new NodeNews(
    (event) => void told.push(event),
    (_, run) => {
      later.push(run);
      return () => void later.splice(later.indexOf(run), 1);
    },
  );
});
const types = () => told.map(({ type }) => type);

it("tells an owner once that a node came, was attested and went", () => {
  news.changed(node, "online");
  news.changed(node, "attested");
  news.changed(node, "attested");
  news.changed(node, "offline");
  for (const run of [...later]) run();
  expect(types()).toEqual(["node.online", "node.attested", "node.offline"]);
  expect(told[0]).toEqual({
    type: "node.online",
    account: "person:1:2",
    machine: "m1",
    node: node.id,
    name: "alder",
    message: null,
  });
});

it("keeps quiet about a link that is back within seconds, and not about one that stays away", () => {
  news.changed(node, "online");
  news.changed(node, "attested");
  for (let flap = 0; flap < 3; flap++) {
    news.changed(node, "offline");
    news.changed(node, "online");
    news.changed(node, "attested");
  }
  expect([types(), later]).toEqual([["node.online", "node.attested"], []]);
  news.changed(node, "offline");
  later[0]?.();
  news.changed(node, "online");
  expect(types().slice(2)).toEqual(["node.offline", "node.online"]);
});

it("says nothing of a node that paired and goes away to load its model", () => {
  news.changed(node, "online");
  news.changed(node, "offline");
  expect(later).toEqual([]);
  news.changed(node, "online");
  news.changed(node, "attested");
  expect(types()).toEqual(["node.online", "node.attested"]);
});

it("says why a node was refused, once for however many tries", () => {
  const refused = { ...node, refusal: { message: "The TCB is out of date." } };
  for (let n = 0; n < 3; n++) {
    if (n === 0) news.changed(node, "online");
    news.changed(refused, "refused");
  }
  expect(types()).toEqual(["node.online", "node.refused"]);
  expect(told[1]?.message).toBe("The TCB is out of date.");
});

it("leaves out what a node does too often, and tells of it again when it has calmed down", () => {
  let now = 0;
  const rate = new RateLimiter("news", { perMinute: 2, burst: 4 }, () => now);
  const limited = new NodeNews(
    (event) => void told.push(event),
    () => () => undefined,
    rate,
  );
  for (let n = 0; n < 50; n++) {
    limited.changed(node, "online");
    limited.changed(node, "refused");
  }
  expect(types()).toEqual(["node.online", "node.refused", "node.online", "node.refused"]);
  limited.changed({ ...node, id: "cd".repeat(32) }, "online");
  expect(types()).toHaveLength(5);
  now = 60_000;
  limited.changed(node, "online");
  expect(types().at(-1)).toBe("node.online");
  expect(types()).toHaveLength(6);
});
