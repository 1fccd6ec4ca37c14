import { Chat } from "./chat/chat.tsx";
import type { LaunchParameters } from "./launch/launch-parameters.ts";
import { Visitor } from "./launch/visitor.tsx";
import { useNetwork } from "./network/use-network.ts";
import { VerificationBadge } from "./network/verification-badge.tsx";

export function App({ launch }: { launch: LaunchParameters | undefined }) {
  return launch ? <Opened launch={launch} /> : <Visitor />;
}

function Opened({ launch }: { launch: LaunchParameters }) {
  const network = useNetwork(launch);
  return (
    <>
      <header>
        <h1>Bombyx</h1>
        <VerificationBadge network={network} />
      </header>
      <Chat network={network} />
    </>
  );
}
