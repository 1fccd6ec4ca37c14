/**
 * Whether a credential may travel to this URL: over TLS, or inside one machine. What is sealed is safe on
 * any wire; API keys, init data and pairing codes are not.
 */
export const keepsSecrets = ({ protocol, hostname }: URL): boolean =>
  protocol === "https:" ||
  hostname === "localhost" ||
  hostname === "[::1]" ||
  /^127(\.\d+){3}$/.test(hostname);
