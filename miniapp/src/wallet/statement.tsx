import type { AccountStatement, StatementLine } from "@bombyx/sdk/account";
import type { IconName } from "../components/icon.tsx";
import { Row, Section } from "../components/section.tsx";
import { useLanguage, useText } from "../i18n/use-text.ts";
import { clockTime, coins } from "../live/amounts.ts";
import { useNow } from "../live/use-now.ts";

const icons: Readonly<Record<StatementLine["kind"], IconName>> = {
  deposit: "down",
  request: "chat",
  stars: "spark",
  refund: "back",
  withdrawal: "send",
};

/** What was paid in and taken out; answers are among the receipts. */
export function Statement({ statement }: { statement: AccountStatement }) {
  const t = useText();
  const language = useLanguage();
  const now = useNow(30_000);
  const lines = statement.lines.filter(({ kind }) => kind !== "request");
  return (
    <Section title={t("wallet-deposits")} footer={lines.length === 0 ? t("wallet-deposits-none") : undefined}>
      {lines.length === 0 && <Row icon="down" title={t("wallet-nothing-yet")} />}
      {lines.map(({ id, at, kind, direction, nano, stars }) => (
        <Row
          key={id}
          icon={icons[kind]}
          title={t(`wallet-line-${kind}`)}
          detail={
            stars === null
              ? clockTime(at, now, language)
              : `${clockTime(at, now, language)} · ${t("wallet-stars-count", { count: stars })}`
          }
          value={`${direction === "in" ? "+" : "−"}${coins(BigInt(nano), language)}`}
        />
      ))}
    </Section>
  );
}
