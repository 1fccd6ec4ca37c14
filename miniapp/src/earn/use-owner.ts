import { type Machine, OwnerClient } from "@bombyx/sdk/owner";
import { useCallback, useMemo } from "react";
import { type Live, useLive } from "../live/use-live.ts";
import type { Connection } from "../network/connection.ts";
import { useConnection } from "../network/use-connection.ts";

const clients = new WeakMap<Connection, Promise<OwnerClient>>();

/** The person's own door to the gateway; a sign-in that failed is tried again. */
function ownerClient(connection: Connection): Promise<OwnerClient> {
  const known = clients.get(connection);
  if (known !== undefined) return known;
  const made = connection.account().then(({ gateway, apiKey }) => new OwnerClient({ gateway, apiKey }));
  clients.set(connection, made);
  made.catch(() => clients.delete(connection));
  return made;
}

export interface Owner {
  readonly machines: Live<readonly Machine[]>;
  /** Does something with the account, then looks at the machines again. @throws what `act` throws. */
  readonly act: <T>(act: (owner: OwnerClient) => Promise<T>) => Promise<T>;
}

/** The machines of whoever opened the page, live. */
export function useOwner(): Owner {
  const connection = useConnection();
  const load = useCallback(
    async (signal: AbortSignal) => (await ownerClient(connection)).machines({ signal }),
    [connection],
  );
  const machines = useLive(load, 2_000);
  const { refresh } = machines;
  const act = useCallback(
    async <T>(run: (owner: OwnerClient) => Promise<T>): Promise<T> => {
      const done = await run(await ownerClient(connection));
      await refresh();
      return done;
    },
    [connection, refresh],
  );
  return useMemo(() => ({ machines, act }), [machines, act]);
}
