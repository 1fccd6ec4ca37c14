import { useState } from "react";
import type { NodeReport } from "../../../playground-host.ts";
import { post } from "../post.ts";
import { useSay } from "../words.ts";

/** One node: its state, its load, and the button that takes it away or brings it back. */
export function NodeChip({ node, onError }: { node: NodeReport; onError: (error: unknown) => void }) {
  const { say } = useSay();
  const [isAsked, setAsked] = useState(false);
  const { name, load, tokensPerSecond, pid, state } = node;
  const isWorking = state === "serving" && (load?.active ?? 0) > 0;
  const ask = (verb: "kill" | "start") => {
    setAsked(true);
    post(`/nodes/${name}/${verb}`)
      .catch(onError)
      .finally(() => setAsked(false));
  };
  return (
    <li className="node" data-state={isWorking ? "working" : state} aria-label={say("node", name)}>
      <span className="lamp" aria-hidden="true" />
      <span className="node-text">
        <b>{name}</b>
        <small>
          <span className="state">{say(isWorking ? "working" : state)}</span>
          {state === "serving" && tokensPerSecond !== undefined && (
            <span className="speed"> · {say("speed", rounded(tokensPerSecond))}</span>
          )}
        </small>
      </span>
      {load && state === "serving" && (
        <span
          className="load"
          title={say("load", load.active, load.slots)}
          role="img"
          aria-label={say("load", load.active, load.slots)}
        >
          {Array.from({ length: Math.min(load.slots, 8) }, (_, slot) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: slots are places, not things
            <i key={slot} data-on={slot < load.active || undefined} />
          ))}
        </span>
      )}
      {pid === undefined ? (
        <span className="paired">{say("theirs")}</span>
      ) : state === "gone" ? (
        <button
          type="button"
          className="start"
          disabled={isAsked}
          aria-label={say("startNode", name)}
          onClick={() => ask("start")}
        >
          {say("start")}
        </button>
      ) : (
        <button
          type="button"
          className="kill"
          disabled={isAsked || state === "starting"}
          aria-label={say("killNode", name)}
          title={`kill -9 ${pid}`}
          onClick={() => ask("kill")}
        >
          {say("kill")}
        </button>
      )}
    </li>
  );
}

const rounded = (value: number): number => (value < 10 ? Math.round(value * 10) / 10 : Math.round(value));
