/** Where nothing else is deployed: the published command. Settings besides are asked for by the command itself. */
export const defaultNodeCommand = "bombyx-node --gateway {gateway} --pair {code}";

/** What an owner pastes into a terminal. */
export const nodeCommand = (template: string, values: { gateway: string; code: string }): string =>
  template.replaceAll("{gateway}", values.gateway).replaceAll("{code}", values.code);
