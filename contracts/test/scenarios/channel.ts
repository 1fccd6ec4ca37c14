import { equal, ok, throws } from "node:assert/strict";
import { Address, beginCell, Cell } from "@ton/core";
import { ClientChannel, channelMessages, voucherHash } from "../../src/client-channel/client-channel.ts";
import { closingHash, vaultOps } from "../../src/vault/messages.ts";
import { codeAt, transactionOf } from "../chain.ts";
import { mainnet, testnet } from "../prices.ts";
import { answers, leastValue, type Scenario, scenario } from "../scenario.ts";
import { type Channel, gram, hour, keyOf, type World } from "../world.ts";
import { forged } from "./forge.ts";

/** What the vault has taken in from channels. */
async function takenIn(w: World): Promise<bigint> {
  const { nodesCreditNano, feeDueNano } = await w.view();
  return nodesCreditNano + feeDueNano;
}

/** What a channel keeps back for rent: what is left of a closed one. */
async function reserveOf(w: World, channel: Channel): Promise<bigint> {
  const before = w.chain.snapshot();
  await w.toChannel(channel.identity.owner, channel, channelMessages.close());
  w.chain.now += 72 * hour;
  await w.toChannel(channel.identity.owner, channel, channelMessages.close());
  const reserve = w.chain.balance(channel.contract.address);
  w.chain.restore(before);
  return reserve;
}

const opening: Scenario[] = [
  scenario("the owner opens and funds a channel in one message", async (w) => {
    const channel = await w.open();
    const view = await w.channelView(channel);
    equal(view.state, "open");
    ok(view.owner.equals(w.client) && view.vault.equals(w.vault.address));
    ok(view.voucherKey?.equals(channel.key.publicKey));
    ok(w.chain.balance(channel.contract.address) > gram(9.9));
  }),
  scenario("a stranger cannot open somebody's channel with a key of its own", async (w) => {
    const channel = w.channel();
    const done = await w.send(w.stranger, {
      to: channel.contract.address,
      value: gram(1),
      init: channel.contract.init!,
      body: channelMessages.setKey(keyOf("thief").publicKey),
    });
    answers(codeAt(done, channel.contract.address), "NotOwner");
    // Deployed by a stranger without a key: the owner opens it as if nothing had happened.
    await w.deploy(channel.contract, gram(0.1));
    equal((await w.channelView(channel)).state, "unopened");
    answers(await w.redeem(channel, gram(0.01)), "NotOpen");
    await w.open(channel);
    equal((await w.channelView(channel)).state, "open");
  }),
  scenario("a channel without a key is not opened", async (w) => {
    const channel = await w.open();
    answers(await w.toChannel(w.client, channel, channelMessages.setKey(Buffer.alloc(32))), "KeyMissing");
    answers(await w.toChannel(w.client, channel, channelMessages.setKey(keyOf("next").publicKey)), "fine");
  }),
  scenario("an owner outside the basechain cannot even be written down", async (w) => {
    const owner = new Address(-1, w.client.hash);
    const identity = { owner, vault: w.vault.address, salt: 1n };
    throws(() => ClientChannel.fromIdentity(identity, w.codes.clientChannel), RangeError);
  }),
  scenario("a masterchain account with the owner's hash is not the owner", async (w) => {
    const channel = await w.open();
    const body = channelMessages.close();
    const alien = new Address(-1, w.client.hash);
    answers(await forged(w, { from: alien, to: channel.contract.address, body }), "WrongWorkchain");
    answers(await forged(w, { from: w.client, to: channel.contract.address, body }), "fine");
  }),
  scenario("unknown messages and comments bounce; an empty one tops up", async (w) => {
    const channel = await w.open();
    const before = w.chain.balance(channel.contract.address);
    const comment = beginCell().storeUint(0, 32).storeStringTail("hello there").endCell();
    answers(await w.toChannel(w.client, channel, comment), "UnknownMessage");
    answers(await w.toChannel(w.stranger, channel, comment), "NotOwner");
    // Every message begins with an op-code and a query id: what is shorter than that is refused for its length.
    const short = beginCell().storeUint(0, 32).storeStringTail("hello").endCell();
    answers(await w.toChannel(w.client, channel, short), 9);
    ok(w.chain.balance(channel.contract.address) - before < 1n * gram(0.001));
    await w.send(w.stranger, { to: channel.contract.address, value: gram(2) });
    ok(w.chain.balance(channel.contract.address) - before > gram(1.99));
    answers(await w.redeem(channel, gram(11)), "fine");
    equal(await takenIn(w), gram(11));
  }),
];

const vouchers: Scenario[] = [
  scenario("a voucher pays the difference to what was redeemed, once", async (w) => {
    const channel = await w.open();
    answers(await w.redeem(channel, gram(1)), "fine");
    answers(await w.redeem(channel, gram(3)), "fine");
    equal(await takenIn(w), gram(3));
    equal((await w.channelView(channel)).redeemedNano, gram(3));
    answers(await w.redeem(channel, gram(3)), "NothingToRedeem");
    answers(await w.redeem(channel, gram(2)), "NothingToRedeem");
    equal(await takenIn(w), gram(3));
    answers(await w.redeem(channel, gram(3) + 1n), "fine");
    equal(await takenIn(w), gram(3) + 1n);
  }),
  scenario("the excess of a redeem goes to who sent it, the deposit pays the total alone", async (w) => {
    const channel = await w.open();
    const held = w.chain.balance(channel.contract.address);
    const till = w.chain.balance(w.vault.address);
    const before = w.chain.balance(w.stranger);
    answers(await w.redeem(channel, gram(2)), "fine");
    equal(held - w.chain.balance(channel.contract.address), gram(2));
    equal(w.chain.balance(w.vault.address) - till, gram(2));
    ok(before - w.chain.balance(w.stranger) < gram(0.02));
  }),
  scenario("the same voucher twice in one wallet transaction pays once", async (w) => {
    const channel = await w.open();
    const body = w.voucher(channel, gram(2));
    const message = { to: channel.contract.address, value: gram(0.5), body };
    const done = await w.send(w.stranger, message, message);
    answers(codeAt(done, channel.contract.address, 0), "fine");
    answers(codeAt(done, channel.contract.address, 1), "NothingToRedeem");
    equal(await takenIn(w), gram(2));
  }),
  ...(
    [
      ["another key", (w, c) => w.voucher(c, gram(1), keyOf("thief"))],
      ["testnet", (w, c) => w.voucher(c, gram(1), c.key, testnet)],
      [
        "another channel",
        (w, c) => {
          const other = w.channel(w.client, 2n).contract.address;
          const signature = c.key.sign(voucherHash(mainnet, other, w.vault.address, gram(1)));
          return channelMessages.redeem(gram(1), signature);
        },
      ],
      [
        "another vault",
        (w, c) => {
          const signature = c.key.sign(voucherHash(mainnet, c.contract.address, w.stranger, gram(1)));
          return channelMessages.redeem(gram(1), signature);
        },
      ],
      [
        "another total",
        (w, c) => {
          const signature = c.key.sign(voucherHash(mainnet, c.contract.address, w.vault.address, gram(1)));
          return channelMessages.redeem(gram(2), signature);
        },
      ],
      [
        "another purpose",
        (w, c) => {
          const hash = closingHash(mainnet, c.contract.address, w.vault.address, gram(1), 0);
          return channelMessages.redeem(gram(1), c.key.sign(hash));
        },
      ],
      ["a signature of zeros", () => channelMessages.redeem(gram(1), Buffer.alloc(64))],
      [
        "a signature with S raised by the group's order",
        (w, c) => {
          const signature = c.key.sign(voucherHash(mainnet, c.contract.address, w.vault.address, gram(1)));
          const order = 2n ** 252n + 27742317777372353535851937790883648493n;
          const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString("hex")}`) + order;
          const raised = Buffer.from(s.toString(16).padStart(64, "0"), "hex").reverse();
          return channelMessages.redeem(gram(1), Buffer.concat([signature.subarray(0, 32), raised]));
        },
      ],
    ] as [string, (w: World, c: Channel) => Cell][]
  ).map(([what, bodyOf]) =>
    scenario(`a voucher of ${what} is refused, the genuine one accepted`, async (w) => {
      const channel = await w.open();
      answers(await w.toChannel(w.stranger, channel, bodyOf(w, channel)), "BadSignature");
      equal(await takenIn(w), 0n);
      answers(await w.toChannel(w.stranger, channel, w.voucher(channel, gram(1))), "fine");
    }),
  ),
  scenario("a body that is cut or continued is refused", async (w) => {
    const channel = await w.open();
    const bits = w.voucher(channel, gram(1)).beginParse();
    const whole = bits.loadBits(bits.remainingBits);
    const bodies = [
      beginCell()
        .storeBits(whole.substring(0, whole.length - 8))
        .endCell(),
      beginCell().storeBits(whole).storeUint(0, 1).endCell(),
      beginCell().storeBits(whole).storeRef(Cell.EMPTY).endCell(),
      beginCell().storeBits(channelMessages.close().bits).storeUint(1, 1).endCell(),
      beginCell()
        .storeBits(channelMessages.setKey(keyOf("x").publicKey).bits)
        .storeRef(Cell.EMPTY)
        .endCell(),
      beginCell()
        .storeSlice(channelMessages.closeTogether(w.approval(channel, 0n)).beginParse())
        .storeUint(1, 1)
        .endCell(),
    ];
    for (const body of bodies) answers(await w.toChannel(w.client, channel, body), 9);
    answers(await w.toChannel(w.client, channel, beginCell().storeBits(whole).endCell()), "fine");
  }),
  scenario(
    "a voucher above the deposit pays the deposit; what is topped up later pays the rest",
    async (w) => {
      const channel = await w.open(w.channel(), gram(2));
      const held = w.chain.balance(channel.contract.address) - (await reserveOf(w, channel));
      answers(await w.redeem(channel, gram(5)), "fine");
      equal(await takenIn(w), held);
      equal((await w.channelView(channel)).redeemedNano, held);
      answers(await w.redeem(channel, gram(5)), "NothingToRedeem");
      await w.send(w.client, { to: channel.contract.address, value: gram(10) });
      answers(await w.redeem(channel, gram(5)), "fine");
      equal(await takenIn(w), gram(5));
    },
  ),
  scenario("a redeem needs exactly what the chain of transactions costs at most", async (w) => {
    const channel = await w.open();
    const least = await leastValue(
      w,
      async (value) => (await w.redeem(channel, gram(1), w.stranger, value)) === 0,
    );
    equal(least, w.prices === "today" ? 1_853_336n : 11_120_000n);
    answers(await w.redeem(channel, gram(1), w.stranger, least - 1n), "ValueTooLow");
    const done = await w.send(w.stranger, {
      to: channel.contract.address,
      value: least,
      body: w.voucher(channel, gram(1)),
    });
    answers(codeAt(done, w.vault.address), "fine");
    equal(await takenIn(w), gram(1));
    ok(w.chain.balance(channel.contract.address) > gram(8.9));
  }),
  scenario("a payment that the vault's address cannot take comes back, to the nano", async (w) => {
    const identity = { owner: w.client, vault: w.chain.wallet("no vault"), salt: 1n };
    const nowhere = new Address(0, beginCell().storeUint(1, 8).endCell().hash());
    const contract = ClientChannel.fromIdentity({ ...identity, vault: nowhere }, w.codes.clientChannel);
    const channel: Channel = { identity: { ...identity, vault: nowhere }, contract, key: keyOf("voucher") };
    await w.open(channel);
    const held = w.chain.balance(contract.address);
    // Two in one wallet transaction: each bounce takes back its own step, whatever the other did in between.
    const messages = [gram(1), gram(3)].map((total) => ({
      to: contract.address,
      value: gram(0.5),
      body: w.voucher(channel, total),
    }));
    await w.send(w.stranger, ...messages);
    equal((await w.channelView(channel)).redeemedNano, 0n);
    ok(w.chain.balance(contract.address) > held);
  }),
  scenario("a bounce that the vault did not send changes nothing", async (w) => {
    const channel = await w.open();
    await w.redeem(channel, gram(2));
    const bounce = beginCell()
      .storeUint(0xffffffff, 32)
      .storeUint(vaultOps.channelPayment, 32)
      .storeUint(0, 64)
      .storeCoins(gram(2))
      .endCell();
    const to = channel.contract.address;
    answers(await forged(w, { from: w.stranger, to, body: bounce, bounced: true }), "NotVault");
    const twin = new Address(-1, w.vault.address.hash);
    answers(await forged(w, { from: twin, to, body: bounce, bounced: true }), "WrongWorkchain");
    answers(await w.toChannel(w.stranger, channel, bounce), "NotOwner");
    equal((await w.channelView(channel)).redeemedNano, gram(2));
    answers(await forged(w, { from: w.vault.address, to, body: bounce, bounced: true }), "fine");
    equal((await w.channelView(channel)).redeemedNano, 0n);
  }),
];

const rotation: Scenario[] = [
  scenario("vouchers of the key before are good for 72 h, and no second longer", async (w) => {
    const channel = await w.open();
    const next = keyOf("next");
    answers(await w.toChannel(w.stranger, channel, channelMessages.setKey(next.publicKey)), "NotOwner");
    answers(await w.toChannel(w.client, channel, channelMessages.setKey(next.publicKey)), "fine");
    const view = await w.channelView(channel);
    equal(view.previousKey?.untilAt, (w.chain.now + 72 * hour) * 1000);
    answers(await w.toChannel(w.stranger, channel, w.voucher(channel, gram(1), next)), "fine");
    w.chain.now += 72 * hour - 1;
    answers(await w.redeem(channel, gram(2)), "fine");
    answers(
      await w.toChannel(w.client, channel, channelMessages.setKey(keyOf("third").publicKey)),
      "RotatedLately",
    );
    w.chain.now += 1;
    answers(await w.redeem(channel, gram(3)), "BadSignature");
    answers(
      await w.toChannel(w.stranger, channel, w.voucher(channel, gram(3), keyOf("thief"))),
      "BadSignature",
    );
    answers(await w.toChannel(w.client, channel, channelMessages.setKey(keyOf("third").publicKey)), "fine");
    answers(await w.toChannel(w.stranger, channel, w.voucher(channel, gram(3), next)), "fine");
  }),
  scenario("within the 72 h a stranger's signature is no better than before", async (w) => {
    const channel = await w.open();
    await w.toChannel(w.client, channel, channelMessages.setKey(keyOf("next").publicKey));
    answers(
      await w.toChannel(w.stranger, channel, w.voucher(channel, gram(1), keyOf("thief"))),
      "BadSignature",
    );
    answers(await w.redeem(channel, gram(1)), "fine");
  }),
  scenario("invented attack: a forged signature for the key 0 that an unrotated channel holds", async (w) => {
    // The point with y = 0 has order 4: with S = 0 and R the neutral point, every fourth message "is signed" by key 0.
    const channel = await w.open();
    const neutral = Buffer.concat([Buffer.of(1), Buffer.alloc(63)]);
    for (let at = 0n; at < 24n; at++) {
      const code = await w.toChannel(w.stranger, channel, channelMessages.redeem(gram(1) + at, neutral));
      answers(code, "BadSignature");
    }
    equal(await takenIn(w), 0n);
    answers(await w.redeem(channel, gram(1)), "fine");
  }),
];

const closing: Scenario[] = [
  scenario("the owner asks to close and has the deposit back after 72 h", async (w) => {
    const channel = await w.open();
    answers(await w.toChannel(w.stranger, channel, channelMessages.close()), "NotOwner");
    answers(await w.toChannel(w.client, channel, channelMessages.close()), "fine");
    const { closesAt } = await w.channelView(channel);
    equal(closesAt, (w.chain.now + 72 * hour) * 1000);
    w.chain.now += 72 * hour - 1;
    answers(await w.toChannel(w.client, channel, channelMessages.close()), "StillClosing");
    // A top-up moves nothing either.
    await w.send(w.stranger, { to: channel.contract.address, value: gram(1) });
    equal((await w.channelView(channel)).closesAt, closesAt);
    w.chain.now += 1;
    answers(await w.toChannel(w.stranger, channel, channelMessages.close()), "NotOwner");
    const before = w.chain.balance(w.client);
    answers(await w.toChannel(w.client, channel, channelMessages.close()), "fine");
    ok(w.chain.balance(w.client) - before > gram(10.7));
    equal((await w.channelView(channel)).state, "closed");
    ok(w.chain.isActive(channel.contract.address));
    ok(w.chain.balance(channel.contract.address) > 0n);
  }),
  scenario(
    "vouchers are redeemable while the channel closes, to the second in which it may, and never after",
    async (w) => {
      const channel = await w.open();
      await w.toChannel(w.client, channel, channelMessages.close());
      answers(await w.redeem(channel, gram(1)), "fine");
      w.chain.now += 72 * hour;
      answers(await w.redeem(channel, gram(2)), "fine");
      await w.toChannel(w.client, channel, channelMessages.close());
      await w.send(w.stranger, { to: channel.contract.address, value: gram(5) });
      answers(await w.redeem(channel, gram(3)), "Closed");
      equal(await takenIn(w), gram(2));
      const before = w.chain.balance(w.client);
      answers(await w.toChannel(w.client, channel, channelMessages.close()), "fine");
      ok(w.chain.balance(w.client) - before > gram(4.9));
    },
  ),
  scenario("keys do not rotate on a channel that closes or is closed", async (w) => {
    const channel = await w.open();
    const rotate = channelMessages.setKey(keyOf("next").publicKey);
    await w.toChannel(w.client, channel, channelMessages.close());
    answers(await w.toChannel(w.client, channel, rotate), "Closing");
    w.chain.now += 72 * hour;
    await w.toChannel(w.client, channel, channelMessages.close());
    answers(await w.toChannel(w.client, channel, rotate), "Closing");
  }),
  scenario("both sides agree: closed at once, the total paid, the rest back", async (w) => {
    const channel = await w.open();
    await w.redeem(channel, gram(1));
    const body = channelMessages.closeTogether(w.approval(channel, gram(4)));
    answers(await w.toChannel(w.stranger, channel, body), "NotOwner");
    const before = w.chain.balance(w.client);
    const till = w.chain.balance(w.vault.address);
    answers(await w.toChannel(w.client, channel, body), "fine");
    equal(w.chain.balance(w.vault.address) - till, gram(3));
    equal(await takenIn(w), gram(4));
    const view = await w.channelView(channel);
    equal(view.state, "closed");
    equal(view.redeemedNano, gram(4));
    ok(w.chain.balance(w.client) - before > gram(5.7));
    answers(await w.toChannel(w.client, channel, body), "Closed");
  }),
  scenario("both sides may agree on what was redeemed already, never on less", async (w) => {
    const channel = await w.open();
    await w.redeem(channel, gram(1));
    const less = channelMessages.closeTogether(w.approval(channel, gram(1) - 1n));
    answers(await w.toChannel(w.client, channel, less), "NothingToRedeem");
    const same = channelMessages.closeTogether(w.approval(channel, gram(1)));
    answers(await w.toChannel(w.client, channel, same), "fine");
    equal((await w.channelView(channel)).state, "closed");
    equal(await takenIn(w), gram(1));
  }),
  ...(
    [
      [
        "signed by another key",
        "BadAckSignature",
        (w, c) => w.approval(c, gram(2), undefined, keyOf("thief")),
      ],
      ["of another channel", "BadAckSignature", (w) => w.approval(w.channel(w.client, 5n), gram(2))],
      ["for another total", "BadAckSignature", (w, c) => ({ ...w.approval(c, gram(3)), totalNano: gram(2) })],
      [
        "signed as a voucher",
        "BadAckSignature",
        (w, c) => ({
          ...w.approval(c, gram(2)),
          signature: keyOf("ack").sign(voucherHash(mainnet, c.contract.address, w.vault.address, gram(2))),
        }),
      ],
      [
        "of testnet",
        "BadAckSignature",
        (w, c) => {
          const approval = w.approval(c, gram(2));
          const hash = closingHash(
            testnet,
            c.contract.address,
            w.vault.address,
            gram(2),
            approval.validUntilAt,
          );
          return { ...approval, signature: keyOf("ack").sign(hash) };
        },
      ],
      ["a second too late", "ApprovalExpired", (w, c) => w.approval(c, gram(2), w.chain.now - 1)],
      [
        "good for more than ten minutes",
        "ApprovalExpired",
        (w, c) => w.approval(c, gram(2), w.chain.now + 601),
      ],
    ] as [
      string,
      "BadAckSignature" | "ApprovalExpired",
      (w: World, c: Channel) => ReturnType<World["approval"]>,
    ][]
  ).map(([what, refusal, approvalOf]) =>
    scenario(`an approval ${what} is refused by the vault and the channel is as before`, async (w) => {
      const channel = await w.open();
      const body = channelMessages.closeTogether(approvalOf(w, channel));
      const done = await w.send(w.client, { to: channel.contract.address, value: gram(0.5), body });
      answers(codeAt(done, w.vault.address), refusal);
      const view = await w.channelView(channel);
      equal(view.state, "open");
      equal(view.redeemedNano, 0n);
      equal(await takenIn(w), 0n);
      for (const until of [w.chain.now, w.chain.now + 600]) {
        const snapshot = w.chain.snapshot();
        const good = channelMessages.closeTogether(w.approval(channel, gram(2), until));
        answers(await w.toChannel(w.client, channel, good), "fine");
        equal((await w.channelView(channel)).state, "closed");
        w.chain.restore(snapshot);
      }
    }),
  ),
  scenario(
    "a refused closing and an honest redeem in one wallet transaction: the honest one pays once",
    async (w) => {
      const channel = await w.open();
      const bogus = channelMessages.closeTogether(w.approval(channel, gram(5), undefined, keyOf("thief")));
      await w.send(
        w.client,
        { to: channel.contract.address, value: gram(0.5), body: bogus },
        { to: channel.contract.address, value: gram(0.5), body: w.voucher(channel, gram(6)) },
      );
      equal(await takenIn(w), gram(1));
      equal((await w.channelView(channel)).redeemedNano, gram(1));
      answers(await w.redeem(channel, gram(6)), "fine");
      equal(await takenIn(w), gram(6));
      answers(await w.redeem(channel, gram(6)), "NothingToRedeem");
    },
  ),
  scenario("the same agreed closing twice in one wallet transaction pays once", async (w) => {
    const channel = await w.open();
    const body = channelMessages.closeTogether(w.approval(channel, gram(4)));
    const message = { to: channel.contract.address, value: gram(0.5), body };
    await w.send(w.client, message, message);
    equal(await takenIn(w), gram(4));
    equal((await w.channelView(channel)).state, "closed");
    equal((await w.channelView(channel)).redeemedNano, gram(4));
  }),
  scenario("nobody but the vault confirms a closing", async (w) => {
    const channel = await w.open();
    const body = beginCell().storeUint(vaultOps.closingConfirmed, 32).storeUint(0, 64).endCell();
    const to = channel.contract.address;
    answers(await w.toChannel(w.client, channel, body), "NotVault");
    answers(await forged(w, { from: new Address(-1, w.vault.address.hash), to, body }), "WrongWorkchain");
    equal((await w.channelView(channel)).state, "open");
    const longer = beginCell().storeSlice(body.beginParse()).storeUint(0, 1).endCell();
    answers(await forged(w, { from: w.vault.address, to, body: longer }), 9);
    answers(await forged(w, { from: w.vault.address, to, body }), "fine");
    equal((await w.channelView(channel)).state, "closed");
  }),
  scenario("an agreed closing needs exactly what the chain of transactions costs at most", async (w) => {
    const channel = await w.open();
    const body = channelMessages.closeTogether(w.approval(channel, gram(4)));
    const least = await leastValue(
      w,
      async (value) => (await w.toChannel(w.client, channel, body, value)) === 0,
    );
    equal(least, w.prices === "today" ? 1_853_336n : 11_120_000n);
    answers(await w.toChannel(w.client, channel, body, least - 1n), "ValueTooLow");
    answers(await w.toChannel(w.client, channel, body, least), "fine");
    equal((await w.channelView(channel)).state, "closed");
    equal(await takenIn(w), gram(4));
  }),
  scenario(
    "after ten silent years the owner still closes, and what rent ate is not missed twice",
    async (w) => {
      const channel = await w.open(w.channel(), gram(1));
      w.chain.now += 10 * 365 * 24 * hour;
      answers(await w.toChannel(w.client, channel, channelMessages.close()), "fine");
      w.chain.now += 72 * hour;
      answers(await w.toChannel(w.client, channel, channelMessages.close()), "fine");
      ok(w.chain.isActive(channel.contract.address));
      // Ten more years eat into the reserve: the closed channel is alive, and its owner may still sweep what arrives.
      w.chain.now += 7 * 365 * 24 * hour;
      answers(await w.toChannel(w.client, channel, channelMessages.close(), gram(2)), "fine");
      equal((await w.channelView(channel)).state, "closed");
    },
  ),
  scenario("a closing that has nothing to send gives the value back", async (w) => {
    const channel = await w.open();
    await w.toChannel(w.client, channel, channelMessages.close());
    w.chain.now += 72 * hour;
    await w.toChannel(w.client, channel, channelMessages.close());
    w.chain.now += 4 * 365 * 24 * hour;
    const held = w.chain.balance(channel.contract.address);
    const least = gram(w.prices === "today" ? 0.0006 : 0.0036);
    const done = await w.send(w.client, {
      to: channel.contract.address,
      value: least,
      body: channelMessages.close(),
    });
    const attempt = transactionOf(done, channel.contract.address);
    ok(codeAt(done, channel.contract.address) !== 0);
    equal(attempt.outMessagesCount, 1, "no bounce");
    ok(w.chain.balance(channel.contract.address) <= held);
  }),
];

export const scenarios: Scenario[] = [...opening, ...vouchers, ...rotation, ...closing];
