# What the bot says, in English. Values are Markdown; long ones are paragraphs with an empty line between.

## The bot's card
description =
    Private AI, served by anyone's GPU. Ask anything: the bot seals your question to a verified machine, and only that machine can read it on the way.

    This chat itself is readable by the bot and by Telegram. /privacy says it plainly.
short-description = Private AI, served by anyone's GPU. Open source.
menu-button = Private chat
command-start = Begin here
command-new = Begin a new conversation
command-model = Choose the model
command-stop = Stop the answer
command-privacy = Who can read what
command-forget = Erase this conversation now
command-forget-own = Erase now what I asked here
command-help = What I can do
command-ask = Ask a question
command-topup = What is left, and more answers for Stars
command-paysupport = Help with a payment
command-terms = What you buy, and when Stars go back

## Commands
start =
    __Hello{ $name }!__ I answer with an open model that runs on somebody's GPU. Before a question leaves this bot, it checks the machine's hardware proof and seals the question to it: neither the network nor the GPU's owner can read it.

    Just write to me. /model chooses another model, /new begins anew, /help shows the rest.
start-group =
    __Hello!__ Mention me (@{ $username }), reply to me or write /ask and your question. Everybody in this group sees what is asked here, and I remember it for this group alone.
start-miniapp = What you write *here* the bot and Telegram can read. The Mini App is the private mode: there your own phone seals the question.
start-no-miniapp = What you write here the bot and Telegram can read: /privacy. (The Mini App, the private mode, is not available: { $reason }. Whoever runs this bot can set it up.)
open-miniapp = Open the private chat
help =
    __Write to me__, and I answer as fast as the machine thinks. The *Stop* button ends an answer; *Try again* asks once more.

    /new – begin a new conversation
    /model – choose the model
    /stop – stop the answer
    /privacy – who can read what
    /forget – erase this conversation now

    In groups, mention @{ $username }, reply to me, or write /ask and your question. Each topic is a conversation of its own. There /forget erases what __you__ asked; an administrator begins anew for everybody with /new, and erases everything with `/forget all`.
privacy =
    __Who can read what__

    __This chat__: you, Telegram, this bot and whoever runs it. Bot chats are not end-to-end encrypted, and nobody can make them so.

    __From this bot on__: the bot checks the hardware proof of a machine and seals your question to it. The gateway in between sees the number of your Telegram account, the model, when you ask, how long it takes and roughly how much. The GPU's owner sees the same, but not who you are. Neither sees a word. If the bot's operator runs the gateway too, sealing adds nothing against *that* operator.

    __The machine that answers__: it reads your question inside protected memory and forgets it at the latest 70 minutes later.

    __What I keep__: this conversation, encrypted, for { $hours } hours, so that I can follow it; which chat it was and when is not encrypted. /forget erases it now, /new too. In a group, /forget erases what __you__ asked and the answers to it; others' questions stay, even where they quote you, until an administrator erases everything or their time is over. What you write never goes into a log.

    __The private mode__ is the Mini App: there your own phone checks the machine and seals the question, and neither this bot nor its operator can read it.

    __Limits, said openly__: protected memory does not stop somebody who attaches hardware to the machine's memory bus; a GPU outside confidential mode shows its memory to its owner; when you write and how long an answer is can be seen from outside.
new-done = A new conversation. I have erased what was before.
forget-done =
    { $turns ->
        [0] There was nothing to erase: I remember nothing of this conversation.
        [one] Erased: one question and its answer are gone from my memory.
       *[other] Erased: { $turns } questions and their answers are gone from my memory.
    } The messages in Telegram are yours to delete.
forget-own-done =
    { $turns ->
        [0] There was nothing to erase: I remember nothing that you asked here.
        [one] Erased: one question of yours and its answer are gone from my memory.
       *[other] Erased: { $turns } questions of yours and their answers are gone from my memory.
    } What others asked stays, even where it quotes you; an administrator erases everything with `/forget all`. The messages in Telegram are yours to delete.
forget-nameless = You write in a channel's name, and I cannot tell who that is, so I have erased nothing. An administrator of this group can erase everything: `/forget all`.
administrators-only = Everybody here shares this conversation, so only an administrator of the group may end it. What you asked yourself, /forget erases.
administrators-unknown = Telegram does not tell me who administers this group, so I have erased nothing. Make me an administrator, and ask again. What you asked yourself, /forget erases.
ask-usage = Write your question behind the command: `/ask why is silk strong?`

## Models
model-choose = __Which model shall answer here?__ Larger ones know more, smaller ones are faster.
model-row = { $name } · { $context } tokens · { $nodes ->
        [one] 1 machine
       *[other] { $nodes } machines
    }
model-chosen = From now on __{ $name }__ answers here.
model-toast = { $name } it is
model-none = No machine is online just now, so there is no model to choose. Please try again in a minute.
model-gone = That model is no longer offered.

## Answers
thinking = Thinking…
placeholder = …
button-stop = ⏹ Stop
button-retry = ↻ Try again
stopped = *Stopped.*
cut-at-length = *The answer has reached its longest. Write "go on" for more.*
simulated = *Simulated hardware: a test network answered. It protects nothing.*
empty = *The model had nothing to say. Try again, or ask differently.*
interrupted = *I was interrupted while I worked on this, and it is too long ago now. Please ask again.*
failed-repeatedly = *Something broke each time I tried to answer this. Please ask differently, or later.*

## Buttons that came too late
stop-nothing = Nothing is being answered just now.
stop-done = Stopped
stop-not-yours = Only the person who asked can stop this answer.
retry-not-yours = Only the person who asked can ask again.
retry-old = Only the latest question can be asked again.
retry-gone = I have forgotten that conversation.
retry-busy = Wait until the answer is here, or stop it.
queue-full = One after the other, please: I am still working on your earlier questions. /stop ends the answer.

## What the bot cannot read
unsupported =
    { $kind ->
        [voice] I cannot listen to voice messages yet. Please type it.
        [photo] I cannot see pictures yet. Please describe it in words.
        [document] I cannot open files yet. Paste the part that matters.
        [video] I cannot watch videos yet. Please describe it in words.
        [sticker] Nice one. I only understand words, though.
       *[other] I only understand text. Please type it.
    }
too-long = That is longer than { $model } can read at once. Please make it shorter, or choose a model with a larger context: /model.

## What went wrong, in plain words
error-allowance = The allowance for answers is used up for today; it begins anew at 00:00 UTC. /topup shows how to get more. Nothing was charged for this question.
error-sponsor = Whoever runs this bot has nothing left to pay for free answers. Try again later; what you bought yourself still counts: /topup. Nothing was charged for this question.
error-no-node = No machine with { $model } is free to answer just now. Try again in a moment, or choose another with /model.
error-busy = All machines are busy just now. Try again in { $seconds ->
        [one] one second
       *[other] { $seconds } seconds
    }.
error-attestation = __I did not ask.__ No machine could prove that it protects what you write, so I have sent nothing to any.
error-model = { $model } is not offered any more. Choose another with /model.
error-unreachable = I cannot reach the network that finds machines. Try again in a moment.
error-setup = This bot is not set up correctly, so nobody can answer. Whoever runs it has been told, in the log.
error-cut = The machine was lost in the middle of the answer, and no other could go on. What is above may be incomplete.
error-internal = Something broke on my side. Try again; if it stays, tell whoever runs this bot.

## Money
topup-free = __Free answers today:__ { $percent } % are left. They begin anew at 00:00 UTC, and are the same in every bot of this network.
topup-credit = __Your credit:__ ⭐ { $credit }. It is used when the free answers are gone, and does not end.
topup-nothing = There are no free answers here.
topup-choose = __How much do you want to add?__ Long answers of large models cost more. /terms says what you buy.
topup-none = Nothing is sold here.
topup-private = Money is between the two of us: write to me in private.
invoice-title = Credit for answers
invoice-description = Used when the day's free answers are gone. It does not end. Unused credit can be given back: /paysupport
invoice-label = Credit for ⭐ { $stars }
checkout-sold-out = So much credit cannot be sold just now. Nothing was charged. Take a smaller amount, or come back later.
checkout-old = The price has changed since this invoice was made. Nothing was charged. Write /topup for a new one.
checkout-later = The payment cannot be made just now. Nothing was charged. Please try again in a minute.
payment-done = ⭐ { $stars } received, thank you. __Your credit is ⭐ { $credit } now.__
payment-waits = Your Stars have arrived. The credit follows as soon as the network can be reached; you need not do anything.
payment-impossible = For these ⭐ { $stars } no credit can be given just now, so I give them back to you.
payment-refunded = ⭐ { $stars } went back to you. __Your credit is ⭐ { $credit } now.__
credit-low = __Your credit is nearly used up.__ The day's free answers go on. /topup adds more.
paysupport =
    __Help with a payment.__ Write behind the command what is wrong, and whoever runs this bot reads it and answers: `/paysupport I paid twice`. Telegram's own support cannot help with this.

    Unused credit is given back in Stars.
paysupport-line = ⭐ { $stars }, { $date }, { $state }: { $charge }
payment-is-paid = under way
payment-is-credited = credited
payment-is-refunding = being given back
payment-is-refunded = given back
paysupport-sent = I have passed it on. You are told here when Stars go back to you.
paysupport-request =
    A person needs help with a payment.
    Person: { $user }
    They write: { $words }
refund-button = Give back ⭐ { $stars } of { $date }
refund-done = ⭐ { $stars } given back.
refund-was-done = This was given back before.
refund-waits = Telegram or the gateway does not answer. I go on trying until it is given back.
refund-unknown = I know no such payment.
refund-not-yours = Only whoever runs this bot can give Stars back.
refund-usage = Write the payment's number behind the command: `/refund stx…`
terms =
    __What you buy.__ Credit for answers of this bot and its Mini App, paid in Telegram Stars. It is used when the day's free answers are gone, and is no currency: it cannot be sold on, paid out or taken to another bot.

    __What it is worth.__ It is a promise of whoever runs this bot, covered by a deposit that they made beforehand. What an answer costs depends on its length and on the model, and is shown by receipts in the Mini App.

    __When Stars go back.__ Ask with /paysupport. Credit that you have not used is given back; what was used is gone. A payment for which no credit could be given goes back by itself.

    __What is kept.__ Your Telegram number, amount, time and number of each payment, as long as the bot exists. Never what you ask.

## In place of the texts of the same name, where the policy admits machines without a hardware proof
description-open =
    AI, served by anyone's computer. Ask anything: the bot seals your question on its way to the machine that answers.

    No hardware vouches for that machine: its owner can read your question. /privacy says it plainly.
short-description-open = AI, served by anyone's computer. Its owner can read along.
start-open =
    __Hello{ $name }!__ I answer with an open model that runs on somebody's computer. Questions are sealed on their way, but no hardware vouches for that computer: __its owner can read this__.

    Just write to me. /model chooses another model, /new begins anew, /help shows the rest.
privacy-open =
    __Who can read what__

    __This chat__: you, Telegram, this bot and whoever runs it. Bot chats are not end-to-end encrypted, and nobody can make them so.

    __The computer that answers__: __its owner can read this__, your questions and its answers, and could keep or change them. This bot was set up to ask computers for which no hardware vouches.

    __On the way__: the question is sealed to that computer. The gateway in between sees the number of your Telegram account, the model, when you ask, how long it takes and roughly how much, and no word.

    __What I keep__: this conversation, encrypted, for { $hours } hours, so that I can follow it; which chat it was and when is not encrypted. /forget erases it now, /new too. In a group, /forget erases what __you__ asked and the answers to it; others' questions stay, even where they quote you, until an administrator erases everything or their time is over. What you write never goes into a log.

    __The Mini App__, where there is one, seals on your own phone and says for itself who can read.
open-tier = *No hardware vouches for the computer that answered: its owner can read this.*
