import type { AccountMoney } from "@bombyx/sdk/account";
import { Notice } from "../components/notice.tsx";
import { useLanguage, useText } from "../i18n/use-text.ts";
import { clockTime, coins } from "../live/amounts.ts";
import { Figures } from "../live/figures.tsx";
import { useNow } from "../live/use-now.ts";

/** What can be spent, purse by purse, and whose word it is. */
export function Balance({ money }: { money: AccountMoney }) {
  const t = useText();
  const language = useLanguage();
  const now = useNow(30_000);
  const { allowance, starsNano, channel, balanceNano } = money;
  const gram = (nano: bigint) => coins(nano, language);
  const figures = [
    ...(allowance
      ? [
          {
            name: t("wallet-free"),
            value: gram(BigInt(allowance.leftNano)),
            note: t("wallet-of", { whole: gram(BigInt(allowance.limitNano)) }),
          },
        ]
      : []),
    ...(allowance || BigInt(starsNano) > 0n
      ? [{ name: t("wallet-stars"), value: gram(BigInt(starsNano)), note: "GRAM" }]
      : []),
    ...(channel
      ? [
          {
            name: t("wallet-deposit"),
            value: gram(max0(BigInt(channel.depositNano) - BigInt(channel.spentNano))),
            note: "GRAM",
          },
        ]
      : []),
    ...(!allowance && !channel && balanceNano !== null
      ? [{ name: t("wallet-balance"), value: gram(BigInt(balanceNano)), note: "GRAM" }]
      : []),
  ];
  return (
    <>
      <Figures figures={figures} />
      {!channel && (
        <Notice icon="shield" title={t("wallet-promise")}>
          {t("wallet-promise-text")}
          {allowance && ` ${t("wallet-resets", { at: clockTime(allowance.resetsAt, now, language) })}`}
        </Notice>
      )}
    </>
  );
}

const max0 = (nano: bigint): bigint => (nano > 0n ? nano : 0n);
