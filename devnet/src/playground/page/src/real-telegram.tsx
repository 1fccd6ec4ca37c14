import { useSay } from "./words.ts";

/** In place of the two panes when the bot is at the real Telegram. */
export function RealTelegram({ username }: { username: string }) {
  const { say } = useSay();
  return (
    <main className="real">
      <span className="mark" aria-hidden="true" />
      <h2>{say("realTelegram")}</h2>
      <p>{say("realTelegramHow")}</p>
      <a href={`https://t.me/${encodeURIComponent(username)}`} target="_blank" rel="noreferrer">
        {say("openTelegram", username)}
      </a>
    </main>
  );
}
