import type { Scene } from "../../../playground-host.ts";
import type { Settings } from "../settings.ts";
import { useSay } from "../words.ts";
import { NodeChip } from "./node-chip.tsx";

interface PersonChoice {
  readonly id: number;
  readonly name: string;
}

/** Nodes, and whose eyes and which look the page has. */
export function Strip(props: {
  readonly scene: Scene | undefined;
  readonly settings: Settings;
  readonly onSettings: (change: Partial<Settings>) => void;
  readonly persons: readonly PersonChoice[];
  readonly onAbout: () => void;
  readonly onError: (error: unknown) => void;
}) {
  const { scene, settings, onSettings, persons, onAbout, onError } = props;
  const { say } = useSay();
  return (
    <header className="strip">
      <div className="brand">
        <span className="mark" aria-hidden="true" />
        <h1>
          Bombyx <span>{say("playground")}</span>
        </h1>
        {scene && <span className="model">{scene.model}</span>}
      </div>
      <ul className="nodes" aria-label={say("nodes")}>
        {scene?.nodes.map((node) => (
          <NodeChip key={node.name + node.node} node={node} onError={onError} />
        ))}
      </ul>
      <div className="switches">
        {persons.length > 1 && (
          <select
            aria-label={say("person")}
            value={settings.personId}
            onChange={(event) => onSettings({ personId: Number(event.target.value) })}
          >
            {persons.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        )}
        <Switch
          label={say("language")}
          value={settings.language}
          choices={[
            ["en", "EN"],
            ["ru", "RU"],
          ]}
          onChange={(language) => onSettings({ language })}
        />
        <Switch
          label={say("theme")}
          value={settings.theme}
          choices={[
            ["light", "☀", say("light")],
            ["dark", "☾", say("dark")],
          ]}
          onChange={(theme) => onSettings({ theme })}
        />
        {scene?.explorer !== undefined && (
          <a className="explorer" href={scene.explorer} target="_blank" rel="noreferrer">
            {say("chain")}
          </a>
        )}
        <button
          type="button"
          className="about-button"
          onClick={onAbout}
          aria-label={say("about")}
          title={say("about")}
        >
          ?
        </button>
      </div>
    </header>
  );
}

function Switch<T extends string>(props: {
  readonly label: string;
  readonly value: T;
  readonly choices: readonly (readonly [value: T, shown: string, name?: string])[];
  readonly onChange: (value: T) => void;
}) {
  return (
    <fieldset className="switch">
      <legend>{props.label}</legend>
      {props.choices.map(([value, shown, name]) => (
        <button
          key={value}
          type="button"
          aria-pressed={props.value === value}
          aria-label={name}
          title={name}
          onClick={() => props.onChange(value)}
        >
          {shown}
        </button>
      ))}
    </fieldset>
  );
}
