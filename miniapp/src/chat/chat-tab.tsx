import { useConnectionState } from "../network/use-connection.ts";

export function ChatTab() {
  const state = useConnectionState();
  return <p>{state.phase}</p>;
}
