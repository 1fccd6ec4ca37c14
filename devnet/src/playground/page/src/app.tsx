import { useMemo, useState } from "react";
import { About } from "./about.tsx";
import { fullName } from "./chat/names.ts";
import { useNotices } from "./notices.tsx";
import { WalletDialog } from "./phone/wallet-dialog.tsx";
import { RealTelegram } from "./real-telegram.tsx";
import { useSettings } from "./settings.ts";
import { Stage } from "./stage.tsx";
import { Strip } from "./strip/strip.tsx";
import { useScene } from "./strip/use-scene.ts";
import { httpPeople } from "./telegram/people.ts";
import { useTelegram } from "./telegram/use-telegram.ts";
import { SayContext, speaker } from "./words.ts";

const people = httpPeople();

/** Strip on top, chat on the left, phone on the right; on a phone the two are tabs. */
export function App() {
  const [settings, onSettings] = useSettings();
  const [isAboutOpen, setAboutOpen] = useState(false);
  const speech = useMemo(
    () => ({ say: speaker(settings.language), language: settings.language }),
    [settings.language],
  );
  const { say } = speech;
  const found = useScene();
  const scene = found === "gone" ? undefined : found;
  const view = useTelegram(scene?.bot.at === "playground" ? people : undefined);
  const persons = (view.world?.persons ?? []).map((person) => ({ id: person.id, name: fullName(person) }));
  const personId = persons.find(({ id }) => id === settings.personId)?.id ?? persons[0]?.id;
  const { notices, shown, onError } = useNotices(say);
  const asked = scene?.wallet[0];

  return (
    <SayContext value={speech}>
      <Strip
        scene={scene}
        settings={{ ...settings, personId }}
        onSettings={onSettings}
        persons={persons}
        onAbout={() => setAboutOpen(true)}
        onError={onError}
      />
      {found === "gone" && (
        <p className="banner" role="status">
          {say("offline")}
        </p>
      )}
      {scene?.bot.state === "restarting" && (
        <p className="banner" role="status">
          {say("botRestarting")}
        </p>
      )}
      {scene?.bot.at === "telegram" ? (
        <RealTelegram username={scene.bot.username} />
      ) : (
        view.world &&
        personId !== undefined && (
          <Stage
            key={personId}
            people={people}
            view={view}
            world={view.world}
            settings={settings}
            personId={personId}
            notices={notices}
            onError={onError}
          />
        )
      )}
      {shown}
      {asked && <WalletDialog key={asked.id} request={asked} onError={onError} />}
      {isAboutOpen && <About onClose={() => setAboutOpen(false)} />}
    </SayContext>
  );
}
