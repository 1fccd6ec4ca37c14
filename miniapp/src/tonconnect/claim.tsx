import type { Order, Outcome, PinnedChain } from "@bombyx/sdk/ton";
import { friendlyAddress, type NodeEarnings, shortAddress } from "@bombyx/sdk/wallet";
import { useEffect, useRef, useState } from "react";
import { Button } from "../components/button.tsx";
import { Notice } from "../components/notice.tsx";
import { Row, Section } from "../components/section.tsx";
import { Skeleton } from "../components/skeleton.tsx";
import { hasText } from "../i18n/messages.ts";
import { useLanguage, useText } from "../i18n/use-text.ts";
import { coins, exactCoins } from "../live/amounts.ts";
import { type Failure, failureOf, wordsFor } from "../network/failure.ts";
import { useTelegram } from "../telegram/telegram-context.ts";
import { type Connected, WalletRefusal } from "./connector.ts";
import { Progress } from "./progress.tsx";
import { loadTon } from "./ton.ts";
import type { Desk } from "./wallet-document.tsx";

/** What can be claimed now, and what it costs. */
interface Plan {
  readonly chain: PinnedChain;
  readonly nodes: readonly NodeEarnings[];
  readonly orders: readonly Order[];
  readonly amountNano: bigint;
  readonly feeNano: bigint;
  readonly attachNano: bigint;
  readonly balanceNano: bigint;
  /** Nodes that pay another wallet than the connected one. */
  readonly elsewhere: readonly NodeEarnings[];
  /** More than fits into one transfer of this wallet. */
  readonly left: number;
}

type State =
  | { readonly at: "planning" }
  | { readonly at: "ready" }
  | { readonly at: "asking" | "sent" }
  | { readonly at: "over"; readonly outcome: Outcome }
  | { readonly at: "refused"; readonly why: WalletRefusal["why"] }
  | { readonly at: "failed"; readonly failure: Failure };

/** Claims what is final, and tells what came of it as the chain has it. */
export function Claim({ desk, wallet }: { desk: Desk; wallet: Connected }) {
  const t = useText();
  const language = useLanguage();
  const telegram = useTelegram();
  const [plan, setPlan] = useState<Plan>();
  const [state, setState] = useState<State>({ at: "planning" });
  const [tries, setTries] = useState(0);
  const gone = useRef<AbortController>(undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another try is another plan
  useEffect(() => {
    const leaving = new AbortController();
    gone.current = leaving;
    setState({ at: "planning" });
    makePlan(desk, wallet, leaving.signal).then(
      (made) => {
        if (leaving.signal.aborted) return;
        setPlan(made);
        setState({ at: "ready" });
      },
      (error: unknown) => {
        if (!leaving.signal.aborted) setState({ at: "failed", failure: failureOf(error) });
      },
    );
    return () => leaving.abort();
  }, [desk, wallet, tries]);
  const again = () => setTries((before) => before + 1);
  const busy = state.at === "asking" || state.at === "sent";
  useEffect(() => telegram?.confirmClosing(busy), [telegram, busy]);

  const claim = async ({ chain, orders }: Plan) => {
    const signal = gone.current?.signal ?? AbortSignal.abort();
    setState({ at: "asking" });
    try {
      const outcome = await carryOut(desk, wallet, chain, orders, signal, () => setState({ at: "sent" }));
      if (signal.aborted) return;
      telegram?.haptic(outcome.kind === "done" ? "success" : "error");
      setState({ at: "over", outcome });
    } catch (error) {
      if (signal.aborted) return;
      telegram?.haptic("error");
      if (error instanceof WalletRefusal) setState({ at: "refused", why: error.why });
      else setState({ at: "failed", failure: failureOf(error) });
    }
  };
  const tryAgain = (
    <Button kind="plain" icon="retry" onClick={again}>
      {t("try-again")}
    </Button>
  );
  if (state.at === "planning") return <Skeleton lines={5} label={t("loading")} />;
  if (state.at === "failed") {
    return (
      <Notice tone="danger" role="alert" title={t("tc-chain-unseen")} actions={tryAgain}>
        {t(wordsFor(state.failure))}
      </Notice>
    );
  }
  if (!plan) return null;
  const own = friendlyAddress(wallet.address, {
    bounceable: false,
    testOnly: desk.settlement.globalId !== -239,
  });
  if (state.at === "over") return <Over outcome={state.outcome} desk={desk} own={own} again={again} />;
  const nothing = plan.nodes.length === 0;
  const poor = !nothing && plan.balanceNano < plan.attachNano;
  return (
    <>
      {state.at === "refused" && (
        <Notice
          tone={state.why === "rejected" ? "warn" : "danger"}
          role="alert"
          title={t(`tc-refused-${state.why}`)}
        >
          {t(state.why === "rejected" ? "tc-claim-rejected" : `tc-refused-${state.why}-text`)}
        </Notice>
      )}
      {nothing ? (
        <Notice icon="coins" title={t("tc-nothing")}>
          {t("tc-nothing-text")}
        </Notice>
      ) : (
        <p className="tc-amount">
          <strong>{exactCoins(plan.amountNano, language)}</strong> GRAM
        </p>
      )}
      {!nothing && (
        <Section footer={t("tc-fee-note", { attach: coins(plan.attachNano, language) })}>
          <Row
            icon="wallet"
            title={t("tc-to")}
            detail={wallet.name}
            value={<code>{shortAddress(own)}</code>}
          />
          <Row icon="bolt" title={t("tc-fee")} value={`≈ ${coins(plan.feeNano, language)} GRAM`} />
          {plan.nodes.map((node) => (
            <Row
              key={node.node}
              icon="chip"
              title={node.name}
              value={`${exactCoins(dueOf(node), language)} GRAM`}
            />
          ))}
        </Section>
      )}
      {!nothing && plan.feeNano > plan.amountNano && <Notice icon="clock">{t("tc-small")}</Notice>}
      {plan.left > 0 && <Notice>{t("tc-left", { count: plan.left })}</Notice>}
      {plan.elsewhere.map((node) => (
        <Notice key={node.node} tone="warn" title={t("tc-elsewhere", { name: node.name })}>
          {t("tc-elsewhere-text")}
        </Notice>
      ))}
      {poor && (
        <Notice tone="warn" role="alert" title={t("tc-poor")} actions={tryAgain}>
          {t("tc-poor-text", {
            needs: coins(plan.attachNano, language),
            has: coins(plan.balanceNano, language),
          })}
        </Notice>
      )}
      {busy ? (
        <Progress at={state.at} wallet={wallet} />
      ) : (
        !nothing && (
          <Button wide icon="coins" disabled={poor} onClick={() => void claim(plan)}>
            {t("tc-claim", { amount: coins(plan.amountNano, language) })}
          </Button>
        )
      )}
    </>
  );
}

function Over({
  outcome,
  desk,
  own,
  again,
}: {
  outcome: Outcome;
  desk: Desk;
  own: string;
  again: () => void;
}) {
  const t = useText();
  const language = useLanguage();
  const telegram = useTelegram();
  const { explorer } = desk.settlement;
  const look = explorer !== null && (
    <Button
      kind="plain"
      icon="open"
      onClick={() => telegram?.openLink(`${explorer.replace(/\/$/, "")}/${own}`)}
    >
      {t("tc-explorer")}
    </Button>
  );
  if (outcome.kind === "done") {
    return (
      <>
        <p className="tc-amount" data-tone="good">
          <strong>+{exactCoins(outcome.paidNano, language)}</strong> GRAM
        </p>
        <Section title={t("tc-paid-title")} footer={t("tc-paid-note")}>
          <Row icon="coins" title={t("tc-paid")} value={`${exactCoins(outcome.paidNano, language)} GRAM`} />
          <Row icon="bolt" title={t("tc-fee")} value={`−${exactCoins(outcome.feeNano, language)} GRAM`} />
          <Row icon="wallet" title={t("tc-to")} value={<code>{shortAddress(own)}</code>} />
        </Section>
        <Notice tone="good" icon="check" role="status" title={t("tc-done")} actions={look}>
          {t("tc-done-text")}
        </Notice>
      </>
    );
  }
  const words = outcome.kind === "refused" ? refusalWords(outcome.refusal) : `tc-${outcome.kind}`;
  return (
    <Notice
      tone={outcome.kind === "expired" ? "warn" : "danger"}
      role="alert"
      title={t(outcome.kind === "refused" ? "tc-chain-refused" : `tc-${outcome.kind}-title`)}
      actions={
        <>
          <Button kind="plain" icon="retry" onClick={again}>
            {t("try-again")}
          </Button>
          {look}
        </>
      }
    >
      {t(words)}
      {outcome.kind === "refused" && (
        <small className="tc-quiet">
          {t("tc-refused-cost", { fee: exactCoins(outcome.feeNano, language), code: outcome.code })}
        </small>
      )}
    </Notice>
  );
}

/** Of the contract's own reasons, those that a person can do something about. */
function refusalWords(refusal: string | undefined): string {
  const id = `tc-code-${refusal?.replace(/(?<=[a-z])(?=[A-Z])/g, "-").toLowerCase()}`;
  return hasText(id) ? id : "tc-code-other";
}

const dueOf = (node: NodeEarnings): bigint => BigInt(node.finalNano) - BigInt(node.paidNano);

async function makePlan(desk: Desk, wallet: Connected, signal: AbortSignal): Promise<Plan> {
  const [{ PinnedChain, claimNeedsNano, claimOrder, payoutOf }, { default: policy }, earnings] =
    await Promise.all([loadTon(), import("bombyx:policy"), desk.client.earnings({ signal })]);
  const chain = new PinnedChain(policy.chainEndpoints);
  const due = earnings.nodes.filter(
    (node) => node.proof !== null && node.account !== null && dueOf(node) > 0n,
  );
  const mine = due.filter((node) => payoutOf(node) === wallet.address);
  const nodes = mine
    .toSorted((one, other) => (dueOf(other) > dueOf(one) ? 1 : -1))
    .slice(0, Math.max(1, Math.min(wallet.maxMessages, 4)));
  const orders = await Promise.all(
    nodes.map(async (node) => {
      const { state } = await chain.account(node.account ?? "", signal);
      return claimOrder(node, desk.settlement, state === "active");
    }),
  );
  const sum = (of: (order: Order) => bigint) => orders.reduce((total, order) => total + of(order), 0n);
  const attached = sum(({ attachNano }) => attachNano);
  return {
    chain,
    nodes,
    orders,
    amountNano: nodes.reduce((total, node) => total + dueOf(node), 0n),
    feeNano: sum(({ feeNano }) => feeNano),
    attachNano: attached === 0n ? 0n : attached + claimNeedsNano / 10n,
    balanceNano: (await chain.account(wallet.address, signal)).balanceNano,
    elsewhere: due.filter((node) => payoutOf(node) !== wallet.address),
    left: mine.length - nodes.length,
  };
}

/**
 * Asks the wallet, and watches the chain meanwhile: a wallet that never answers may have sent it, and one that says it
 * did may not have.
 */
async function carryOut(
  { connector, settlement }: Desk,
  wallet: Connected,
  chain: PinnedChain,
  orders: readonly Order[],
  signal: AbortSignal,
  onSent: () => void,
): Promise<Outcome> {
  const { followOrders, transferMs, transferOf } = await loadTon();
  const now = Date.now();
  const request = transferOf(orders, { from: wallet.address, globalId: settlement.globalId, now });
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  let boc: string | undefined;
  const refused = new Promise<never>((_, reject) => {
    connector.send(request, either).then(
      (sent) => {
        boc = sent;
        onSent();
      },
      (error: unknown) => {
        if (!either.aborted) reject(error);
      },
    );
  });
  const followed = followOrders({
    chain,
    wallet: wallet.address,
    orders,
    validUntilAt: now + transferMs,
    boc: () => boc,
    signal: either,
    onSent,
  });
  try {
    return await Promise.race([followed, refused]);
  } finally {
    followed.catch(() => undefined);
    over.abort(new DOMException("it is over", "AbortError"));
  }
}
