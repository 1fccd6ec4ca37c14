import { autoRetry } from "@grammyjs/auto-retry";
import { Bot } from "grammy";
import type { UserFromGetMe } from "grammy/types";
import type { MiniApp } from "./config.ts";
import type { BotContext } from "./context.ts";
import type { Answerer } from "./conversation/answerer.ts";
import type { Conversation } from "./conversation/conversation.ts";
import type { RunningAnswers } from "./conversation/running-answers.ts";
import { withoutPreviews } from "./delivery/without-previews.ts";
import { forgetFeature } from "./features/forget.ts";
import { helpFeature } from "./features/help.ts";
import { menuButtonFeature } from "./features/menu-button.ts";
import { modelFeature } from "./features/model.ts";
import { newFeature } from "./features/new.ts";
import { paymentFeature } from "./features/payment.ts";
import { paysupportFeature } from "./features/paysupport.ts";
import { privacyFeature } from "./features/privacy.ts";
import { questionFeature } from "./features/question.ts";
import { retryFeature } from "./features/retry.ts";
import { startFeature } from "./features/start.ts";
import { stopFeature } from "./features/stop.ts";
import { termsFeature } from "./features/terms.ts";
import { topupFeature } from "./features/topup.ts";
import { unsupportedFeature } from "./features/unsupported.ts";
import { surroundings } from "./intake/surroundings.ts";
import { waitingLine } from "./intake/waiting-line.ts";
import type { Log } from "./log.ts";
import type { Cashier } from "./money/cashier.ts";
import type { Till } from "./money/till.ts";
import type { Store } from "./store/open-store.ts";
import type { Language, Translate } from "./texts/texts.ts";

export interface BotDeps {
  readonly token: string;
  readonly apiRoot: string;
  readonly botInfo: UserFromGetMe;
  readonly texts: Readonly<Record<Language, Translate>>;
  readonly store: Store;
  readonly answerer: Answerer;
  readonly running: RunningAnswers;
  readonly conversation: Conversation;
  readonly miniApp: MiniApp;
  readonly historyMs: number;
  readonly till: Till;
  /** Absent where nothing is sold. */
  readonly cashier?: Cashier | undefined;
  readonly log: Log;
}

/** A long poll takes 30 s by itself. */
const requestSeconds = 60;

/** The bot, feature by feature, in the order in which they look at an update. */
export function createBot(deps: BotDeps): Bot<BotContext> {
  const { token, apiRoot, botInfo } = deps;
  const bot = new Bot<BotContext>(token, { client: { apiRoot, timeoutSeconds: requestSeconds }, botInfo });
  // Short waits are waited out here; a long one ends the handler, and the inbox runs it again when it is over.
  bot.api.config.use(
    autoRetry({
      maxRetryAttempts: 2,
      maxDelaySeconds: 3,
      rethrowInternalServerErrors: true,
      rethrowHttpErrors: true,
    }),
    withoutPreviews,
  );

  bot.use(surroundings(deps.texts));
  bot.use(menuButtonFeature(deps));

  // At once, also while an answer is being written:
  bot.use(paymentFeature({ cashier: deps.cashier, log: deps.log }));
  bot.use(stopFeature(deps));
  bot.use(startFeature(deps));
  bot.use(modelFeature(deps));
  bot.use(privacyFeature(deps));
  bot.use(helpFeature());
  bot.use(topupFeature(deps));
  bot.use(paysupportFeature({ cashier: deps.cashier, store: deps.store }));
  bot.use(termsFeature());

  // One after the other in each chat or topic:
  bot.use(waitingLine());
  bot.use(newFeature(deps));
  bot.use(forgetFeature(deps));
  bot.use(retryFeature(deps));
  bot.use(questionFeature(deps)); // takes every text that no command took
  bot.use(unsupportedFeature());
  return bot;
}
