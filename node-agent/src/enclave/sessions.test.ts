import { randomBytes, ready } from "@bombyx/protocol/session";
import { beforeAll, expect, it } from "vitest";
import type { Epoch } from "./epoch.ts";
import { Session } from "./session.ts";
import { Sessions } from "./sessions.ts";

beforeAll(() => ready);
const epoch = {} as Epoch;
const session = () =>
  new Session(
    {
      sessionId: randomBytes(32),
      handshakeHash: randomBytes(64),
      clientToNode: randomBytes(32),
      nodeToClient: randomBytes(32),
    },
    epoch,
    0,
  );
/** A session with a request that still runs. */
function asking(): Session {
  const one = session();
  const answer = { endNow() {} } as unknown as Parameters<Session["use"]>[1]["answer"];
  one.use(0, { requestHash: "", answer, finalAt: undefined }, 0);
  return one;
}

it("makes room by the oldest session that never asked, and refuses when all have asked", () => {
  const ended: Session[] = [];
  const sessions = new Sessions((one) => ended.push(one), 3);
  const [first, second] = [asking(), session()];
  for (const one of [first, second, session()]) sessions.add(one, 0);
  sessions.add(asking(), 0);
  expect(ended).toEqual([second]);
  sessions.add(asking(), 0);
  expect(ended).toHaveLength(2);
  const late = session();
  expect(() => sessions.add(late, 0)).toThrow(expect.objectContaining({ code: "SESSION_LIMIT" }));
  expect(late.keys.clientToNode).toEqual(new Uint8Array(32));
  expect(sessions.get(first.id, 0)).toBe(first);
  expect(sessions.count).toBe(3);
});
