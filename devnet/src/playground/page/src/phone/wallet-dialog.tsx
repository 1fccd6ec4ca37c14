import type { WalletRequest } from "../../../../wallet/wallet-request.ts";
import { Dialog } from "../dialog.tsx";
import { post } from "../post.ts";
import { useSay } from "../words.ts";

/** What an app asks of this devnet's wallet; nothing is signed before its holder said yes. */
export function WalletDialog({
  request,
  onError,
}: {
  request: WalletRequest;
  onError: (error: unknown) => void;
}) {
  const { say } = useSay();
  const answer = (verdict: "approve" | "reject") => {
    post(`/wallet/${request.id}/${verdict}`).catch(onError);
  };
  return (
    <Dialog
      title={say(request.kind === "connect" ? "walletConnect" : "walletSend")}
      onClose={() => answer("reject")}
      className="wallet-dialog"
    >
      <p>{say(request.kind === "connect" ? "walletConnectText" : "walletSendText", request.app)}</p>
      {request.kind === "send" && (
        <ul>
          {request.messages.map(({ to, nano, deploys }) => (
            <li key={to}>
              <b>{gram(nano)} GRAM</b> → <code>{`${to.slice(0, 6)}…${to.slice(-6)}`}</code>
              {deploys && <small>{say("walletDeploys")}</small>}
            </li>
          ))}
        </ul>
      )}
      <div className="dialog-buttons">
        <button type="button" onClick={() => answer("reject")}>
          {say("walletReject")}
        </button>
        <button type="button" onClick={() => answer("approve")}>
          {say("walletApprove")}
        </button>
      </div>
    </Dialog>
  );
}

/** nanoTON, to the last digit that is not zero. */
function gram(nano: string): string {
  const padded = nano.padStart(10, "0");
  const rest = padded.slice(-9).replace(/0+$/, "");
  return `${padded.slice(0, -9)}${rest === "" ? "" : `.${rest}`}`;
}
