/** What a program needs to find itself, its home and its language; nothing else is handed down. */
const handedDown = [
  "PATH",
  "HOME",
  "TMPDIR",
  "TEMP",
  "TMP",
  "LANG",
  "LC_ALL",
  "TZ",
  "SystemRoot",
  "USERPROFILE",
] as const;

/**
 * The environment of a child: the few variables that programs need, and its own settings. Keys and tokens
 * in the environment of the person who runs `npm start` stay there.
 */
export function childEnvironment(
  own: Readonly<Record<string, string>>,
  parent: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of handedDown) {
    const value = parent[name];
    if (value !== undefined) environment[name] = value;
  }
  return { ...environment, ...own };
}
