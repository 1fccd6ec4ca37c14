import type { Message } from "@grammyjs/types";
import { type Say, useSay } from "../words.ts";
import { fullName } from "./names.ts";

export function ServiceLine({ message }: { message: Message }) {
  const { say } = useSay();
  return <p className="service">{sentence(message, say)}</p>;
}

function sentence(message: Message, say: Say): string {
  if (message.new_chat_members) return say("joined", message.new_chat_members.map(fullName).join(", "));
  if (message.left_chat_member) return say("left", fullName(message.left_chat_member));
  if (message.forum_topic_created) return say("topicMade", message.forum_topic_created.name);
  if (message.successful_payment) return say("paidService", message.successful_payment.total_amount);
  if (message.refunded_payment) return say("refundedService", message.refunded_payment.total_amount);
  if (message.pinned_message) return say("pinned");
  return say("groupMade", message.from ? fullName(message.from) : "");
}

export function DayLine({ at }: { at: number }) {
  const { say, language } = useSay();
  const day = new Date(at).toDateString();
  const now = Date.now();
  const text =
    day === new Date(now).toDateString()
      ? say("today")
      : day === new Date(now - 86_400_000).toDateString()
        ? say("yesterday")
        : new Date(at).toLocaleDateString(language, { day: "numeric", month: "long" });
  return <p className="service day">{text}</p>;
}
