/** What an app asks of a wallet, as the wallet shows it to its holder. */
export type WalletRequest =
  | { readonly id: number; readonly kind: "connect"; readonly app: string }
  | {
      readonly id: number;
      readonly kind: "send";
      readonly app: string;
      readonly messages: readonly ShownMessage[];
    };

export interface ShownMessage {
  /** Friendly. */
  readonly to: string;
  /** nanoTON, decimal. */
  readonly nano: string;
  /** It carries the code of a contract that is not there yet. */
  readonly deploys: boolean;
}
