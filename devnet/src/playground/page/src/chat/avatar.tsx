import { colourOf, initials } from "./names.ts";

export function Avatar({ id, name, isBot = false }: { id: number; name: string; isBot?: boolean }) {
  return (
    <span className="avatar" data-colour={isBot ? "bot" : colourOf(id)} aria-hidden="true">
      {isBot ? "" : initials(name)}
    </span>
  );
}
