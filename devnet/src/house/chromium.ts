import { existsSync } from "node:fs";

const usualPlaces = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/**
 * A Chromium to run browser tests in: `CHROMIUM_PATH`, else the first of the usual places.
 * @throws Error when `CHROMIUM_PATH` names no file: a typing mistake must not skip tests.
 */
export function chromiumPath(
  named = process.env.CHROMIUM_PATH ?? "",
  places: readonly string[] = usualPlaces,
): string | undefined {
  if (named !== "") {
    if (existsSync(named)) return named;
    throw new Error(`CHROMIUM_PATH is ${named}, which is no file. Name Chromium's executable, or unset it.`);
  }
  return places.find((place) => existsSync(place));
}
