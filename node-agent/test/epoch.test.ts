import { appraise } from "@bombyx/protocol/attestation";
import { linkKind } from "@bombyx/protocol/wire";
import { expect, it } from "vitest";
import { Client } from "./client.ts";
import { block, chain, simulatedPolicy, World } from "./world.ts";

const minute = 60_000;

it("publishes a bundle that a client's own appraisal admits", async () => {
  await using world = await World.start();
  const { bundle, attestationId } = world.admission;
  const appraisal = {
    bundle,
    policy: await simulatedPolicy(),
    chain,
    now: block.at + minute,
    expect: { node: world.node.nodeId, attestationId },
  };
  expect(await appraise(appraisal)).toMatchObject({ simulated: true, node: world.node.nodeId, suite: 2 });
  const stranger = appraise({ ...appraisal, expect: { node: "00".repeat(32) } });
  await expect(stranger).rejects.toMatchObject({ code: "ATTESTATION" });
});

it("publishes the next epoch before the old one ends, with other keys and the same signer", async () => {
  await using world = await World.start();
  const old = world.admission;
  await world.pass(55 * minute);
  const next = await world.gateway.admissions.next();
  expect(next.attestationId).not.toBe(old.attestationId);
  expect(next.statement.epoch).toBe(old.statement.epoch + 1);
  expect(next.statement.kem[0]!.pk).not.toBe(old.statement.kem[0]!.pk);
  expect(next.statement.sig_pk).toBe(old.statement.sig_pk);
  // Both take handshakes meanwhile.
  await Client.connect(world.gateway, old);
  await Client.connect(world.gateway, next);
});

it("refuses a new request with a sealed EPOCH at 60 minutes, and lets the running one end", async () => {
  await using world = await World.start();
  await world.pass(59 * minute);
  const client = await world.client();
  const early = client.seal();
  const running = client.send(early);
  const job = await world.engine.jobs.next();
  await world.gateway.roundTrip();
  const reader = client.reader(early);
  // One frame per tick: the reader keeps up through the last minute.
  for (let i = 0; i < 750; i++) {
    world.clock.advance(80);
    const { index, sealed } = await running.frame();
    reader.read(sealed);
    running.send(linkKind.window, index + 1);
  }
  const late = client.seal();
  const stream = client.send(late);
  const refused = await client.reader(late).readAll(stream);
  expect(refused.error).toMatchObject({ code: "EPOCH" });
  expect(await stream.failed()).toMatchObject({ code: "EPOCH" });

  job.say("in time");
  job.end();
  await reader.readAll(running);
  expect(reader.text).toBe("in time");
  expect((await running.receipt()).receipt.finish).toBe("done");
});

it("refuses a handshake on an epoch of 60 minutes with REATTEST, and takes it on the next", async () => {
  await using world = await World.start();
  await world.pass(60 * minute);
  const old = Client.handshake(world.admission.statement, world.admission.attestationId, 2);
  expect(await world.gateway.open(linkKind.handshake, 0, old.message).failed()).toMatchObject({
    code: "REATTEST",
  });
  await Client.connect(world.gateway, await world.gateway.admissions.next());
});

it("erases an epoch at 70 minutes: what runs is ended and paid, its sessions are gone", async () => {
  await using world = await World.start();
  await world.pass(59 * minute);
  const client = await world.client();
  const request = client.seal({}, { tickMs: 0 });
  const stream = client.send(request);
  const job = await world.engine.jobs.next();
  job.say("half an ");
  await stream.frame();
  await world.pass(11 * minute);
  expect(job.signal.aborted).toBe(true);
  expect((await stream.receipt()).receipt).toMatchObject({ finish: "cancelled", units: 64 });
  expect(await client.send(client.seal()).failed()).toMatchObject({ code: "SESSION_UNKNOWN" });
  expect(world.engine.forgotten).toContain(client.session);
});

it("tries again when the next epoch cannot be made, and refuses handshakes meanwhile", async () => {
  let broken = false;
  await using world = await World.start({
    chain: {
      latest: () => (broken ? Promise.reject(new Error("no chain")) : chain.latest()),
      block: chain.block,
    },
  });
  broken = true;
  await world.pass(61 * minute);
  const old = Client.handshake(world.admission.statement, world.admission.attestationId, 2);
  expect(await world.gateway.open(linkKind.handshake, 0, old.message).failed()).toMatchObject({
    code: "REATTEST",
  });
  broken = false;
  world.clock.advance(15_000);
  await Client.connect(world.gateway, await world.gateway.admissions.next());
});
