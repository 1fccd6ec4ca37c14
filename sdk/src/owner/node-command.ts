/** Where nothing else is deployed: the published command. Settings besides are asked for by the command itself. */
export const defaultNodeCommand = "bombyx-node --gateway {gateway} --pair {code}";

/**
 * What an owner pastes into a terminal.
 * @param values `payout` is the wallet that the machine pays; without it the machine serves, and nobody is paid
 */
export const nodeCommand = (
  template: string,
  { gateway, code, payout }: { gateway: string; code: string; payout?: string | undefined },
): string => {
  const command = template.replaceAll("{gateway}", gateway).replaceAll("{code}", code);
  return payout === undefined ? command : `${command} --payout ${payout}`;
};
