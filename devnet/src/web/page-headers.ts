/**
 * Headers of a page of this machine: it loads nothing but itself, and no other page frames it.
 * @param admitted what its policy admits beside that: `{ "img-src": "data: blob:" }`
 */
export function pageHeaders(admitted: {
  readonly "img-src"?: string;
  readonly "frame-src"?: string;
}): Readonly<Record<string, string>> {
  const { "img-src": images, "frame-src": frames } = admitted;
  return {
    "content-security-policy": [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      images === undefined ? "img-src 'self'" : `img-src 'self' ${images}`,
      ...(frames === undefined ? [] : [`frame-src ${frames}`]),
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "form-action 'none'",
    ].join("; "),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
  };
}
