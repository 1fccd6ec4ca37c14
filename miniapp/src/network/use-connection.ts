import { createContext, useContext, useSyncExternalStore } from "react";
import type { Connection, ConnectionState } from "./connection.ts";

export const ConnectionContext = createContext<Connection | undefined>(undefined);

/** The page's way to the network. @throws RangeError outside of an opened page, which is a defect. */
export function useConnection(): Connection {
  const connection = useContext(ConnectionContext);
  if (!connection) throw new RangeError("useConnection needs a ConnectionContext above it");
  return connection;
}

export function useConnectionState(): ConnectionState {
  const { subscribe, snapshot } = useConnection();
  return useSyncExternalStore(subscribe, snapshot);
}
