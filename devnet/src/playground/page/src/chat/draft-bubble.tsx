import type { DraftView } from "../../../../telegram/bot-api/interface.ts";
import { useSay } from "../words.ts";
import { FormattedText } from "./entities.tsx";
import { GrowingContext } from "./growing.tsx";
import { RichBlocks } from "./rich-blocks.tsx";

/** An answer while it is written: it grows where it will stand, and can be stopped when the bot allows it. */
export function DraftBubble({ draft, onStop }: { draft: DraftView; onStop: () => void }) {
  const { say } = useSay();
  const isRich = draft.richMessage !== undefined && draft.richMessage.blocks.length > 0;
  return (
    <div className="row theirs" data-last="true" data-draft={draft.isStopped ? "stopped" : "open"}>
      <div className="column">
        <div className="bubble draft">
          <GrowingContext value={true}>
            {isRich ? (
              <div className="rich">
                <RichBlocks blocks={draft.richMessage?.blocks ?? []} />
              </div>
            ) : draft.isThinking || draft.text === "" ? (
              <div className="text thinking">{say("thinking")}</div>
            ) : (
              <div className="text">
                <FormattedText text={draft.text} entities={draft.entities} />
              </div>
            )}
          </GrowingContext>
          {!draft.isStopped && (
            <span className="writing" aria-hidden="true">
              <i />
              <i />
              <i />
            </span>
          )}
        </div>
        {draft.canStop && !draft.isStopped && (
          <div className="keyboard">
            <div>
              <button type="button" className="stop" onClick={onStop}>
                {say("stop")}
              </button>
            </div>
          </div>
        )}
      </div>
    </div>
  );
}
