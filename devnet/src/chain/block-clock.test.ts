import { toncenterChainView } from "@bombyx/protocol/attestation";
import { describe, expect, it } from "vitest";
import { BlockClock, blockClockStateSchema } from "./block-clock.ts";
import { startChainServer } from "./chain-server.ts";

const born = 1_800_000_000_400;
const chain = () => new BlockClock(BlockClock.genesis(born, new Uint8Array(32).fill(7)));

describe("the block clock", () => {
  it("makes one block a second, each with its own hash", () => {
    const clock = chain();
    expect(clock.latest(born).seqno).toBe(1);
    expect(clock.latest(born + 600).seqno).toBe(2);
    expect(clock.latest(born + 10_600).seqno).toBe(12);
    const first = clock.block(1, born + 10_600);
    const second = clock.block(2, born + 10_600);
    expect(first?.genUtime).toBe(1_800_000_000);
    expect(second?.genUtime).toBe(1_800_000_001);
    expect(first?.rootHash).not.toEqual(second?.rootHash);
    expect(first?.rootHash).not.toEqual(first?.fileHash);
  });

  it("has the same blocks after a restart, and those of the pause as well", () => {
    const state = blockClockStateSchema.parse(JSON.parse(JSON.stringify(BlockClock.genesis(born))));
    const before = new BlockClock(state).latest(born + 5_000);
    const weekLater = born + 7 * 86_400_000;
    const after = new BlockClock(state);
    expect(after.latest(weekLater).seqno).toBe(7 * 86_400 + 1);
    expect(after.block(before.seqno, weekLater)).toEqual(before);
  });

  it("does not tell a block before its time, nor go back when the machine's clock does", () => {
    const clock = chain();
    const { seqno } = clock.latest(born + 5_000);
    expect(clock.block(seqno + 1, born + 5_000)).toBeUndefined();
    expect(clock.block(seqno, born + 5_000)).toBeDefined();
    expect(clock.latest(born).seqno).toBe(seqno);
    expect(clock.block(0, born)).toBeUndefined();
  });

  it("gives two networks different chains", () => {
    const one = new BlockClock(BlockClock.genesis(born));
    const other = new BlockClock(BlockClock.genesis(born));
    expect(one.latest(born).rootHash).not.toEqual(other.latest(born).rootHash);
  });
});

describe("the chain server", () => {
  it("answers in toncenter's shape, equally on two ports", async () => {
    const clock = chain();
    const now = () => born + 3_000;
    await using servers = new AsyncDisposableStack();
    const urls: string[] = [];
    for (let i = 0; i < 2; i++) {
      const server = await startChainServer({ clock, port: 0, now });
      servers.defer(() => server.close());
      urls.push(server.url);
    }
    const ask = async (path: string) =>
      Promise.all(urls.map(async (url) => (await fetch(`${url}/${path}`)).json() as Promise<Answer>));

    const [info, other] = await ask("getMasterchainInfo");
    expect(info).toEqual(other);
    expect(info).toMatchObject({ ok: true, result: { last: { workchain: -1, seqno: 4 } } });

    const [header] = await ask("getBlockHeader?workchain=-1&shard=-9223372036854775808&seqno=4");
    expect(header?.result.id).toEqual(info?.result.last);
    expect(header?.result.gen_utime).toBe(1_800_000_003);
    expect(Buffer.from(header?.result.id.root_hash ?? "", "base64")).toHaveLength(32);
  });

  it("is the chain that a client's own view of it sees", async () => {
    const clock = chain();
    await using servers = new AsyncDisposableStack();
    const endpoints: string[] = [];
    for (let i = 0; i < 2; i++) {
      const server = await startChainServer({ clock, port: 0, now: () => born + 9_000 });
      servers.defer(() => server.close());
      endpoints.push(server.url);
    }
    const view = toncenterChainView({ endpoints, chain: "bombyx-devnet", fetch });
    const latest = await view.latest();
    expect(latest).toEqual({
      chain: "bombyx-devnet",
      seqno: 10,
      hash: Buffer.from(clock.latest(born + 9_000).rootHash).toString("hex"),
      at: 1_800_000_009_000,
    });
    expect(await view.block(10)).toEqual(latest);
    expect(await view.block(11)).toBeUndefined();
  });

  it("refuses a block that is not there yet and a shard that it does not have, in words", async () => {
    const server = await startChainServer({ clock: chain(), port: 0, now: () => born });
    await using _closed = { [Symbol.asyncDispose]: () => server.close() };
    const ask = async (query: string) =>
      (await fetch(`${server.url}/getBlockHeader?workchain=-1&${query}`)).json();
    expect(await ask("shard=-9223372036854775808&seqno=2")).toMatchObject({
      ok: false,
      error: expect.stringContaining("not found"),
    });
    expect(await ask("shard=0&seqno=1")).toMatchObject({ ok: false, code: 422 });
    expect(await ask("shard=-9223372036854775808&seqno=1")).toMatchObject({ ok: true });
  });
});

interface Answer {
  ok: boolean;
  result: { last?: BlockId; id: BlockId; gen_utime?: number };
}
interface BlockId {
  seqno: number;
  root_hash: string;
}
