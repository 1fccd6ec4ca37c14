chat-new = New chat
chat-conversations = Conversations
chat-question = Your question
chat-placeholder = Message
chat-placeholder-opening = Verifying a node…
chat-placeholder-refused = Nothing can be sent now
chat-send = Send
chat-stop = Stop
chat-retry = Try again
chat-copy = Copy answer
chat-copy-question = Copy question
chat-copy-code = Copy code
chat-copied = Copied
chat-edit = Edit and ask again
chat-editing = Editing an earlier question. What came after it will be replaced.
chat-edit-cancel = Cancel editing
chat-code = code
chat-table = Table
chat-picture = Picture, not loaded
chat-thinking = Answering…
chat-latest = To the newest
chat-you = You
chat-stopped = You stopped this answer.
chat-length = The model reached its limit here.
chat-moved = { $count ->
    [one] Moved to another verified node on the way
   *[other] Moved to other verified nodes { $count } times on the way
}
chat-nothing-sent = Nothing was sent.
chat-not-kept = This device's storage is not available. Conversations last until you close this page.
chat-empty-title = Ask in private
chat-empty-text = Your question is sealed on this device. Only the verified machine can open it.
chat-conversations-empty = No conversations yet.
chat-conversations-footer = Kept on this device only.
chat-untitled = New chat
chat-rename = Rename
chat-delete = Delete
chat-delete-all = Delete all
chat-delete-all-sure = Delete all conversations on this device? This cannot be undone.
chat-name = Name
chat-save = Save
chat-cancel = Cancel

chip-opening = Looking for a verified node…
chip-sealed = Sealed to a verified node
chip-simulated = Sealed · simulated hardware
chip-refused = Not verified · nothing is sent

models-title = Model
models-choose = Choose a model:
models-context = reads up to { $tokens } tokens
models-nodes = { $count ->
    [one] { $count } node
   *[other] { $count } nodes
}
models-none = No model is being served right now.
models-demo-title = Spark is a tiny demo
models-demo-text = It came with this network to show that sealing, verification and streaming work. It speaks simple English and knows little.
models-real-title = To use a real model
models-real-local = Running this network yourself: start it with MODEL=<file.gguf> npm start, or with the name of a model that Ollama or LM Studio has on this computer.
models-real-gpu = Have a GPU: add it under Earn. Its model appears here as soon as its node is verified.

starter-spark-gateway = Can the gateway read what I write?
starter-spark-story = Tell me a story about a penguin.
starter-spark-gpu = How are people with GPUs rewarded?
starter-spark-capital = What is the capital of France?
starter-explain = Explain how a transformer works, in plain words
starter-write = Help me write a polite reply to a difficult email
starter-plan = Plan a calm weekend in a city I do not know
starter-code = Write a Python function that finds duplicate files

failure-internal = Something here went wrong. Please try again.
failure-setup = This page is not set up: the file bombyx.json beside it is missing or wrong.
failure-offline = You are offline. It goes on by itself when the connection is back.
failure-closed = The page was closed before the answer was whole.
failure-gateway-unreachable = The network cannot be reached. Trying again…
failure-no-candidate = No node serves this model right now. Trying again…
failure-model-unknown = Nobody serves this model any more.
failure-node-offline = The node went offline.
failure-node-busy = All nodes are busy. Please try again in a moment.
failure-node-failed = The node failed while it was answering.
failure-queue-full = Too many people are asking right now. Please try again in a moment.
failure-rate-limited = That was a lot at once. Please wait a moment.
failure-session-limit = Too many sessions are open at once. Please wait a moment.
failure-draining = The gateway is restarting. Trying again…
failure-unauthenticated = Your sign-in ran out. Close this page and open it again in Telegram.
failure-init-data-expired = This page was opened too long ago. Close it and open it again in Telegram.
failure-init-data-invalid = Telegram's signature on this launch is not valid. Close the page and open it again from the bot.
failure-bot-not-registered = This bot is not registered with this gateway.
failure-forbidden = The gateway does not allow this.
failure-allowance-exhausted = Your allowance is used up.
failure-context-too-long = This is too long for the model. Shorten it, or start a new chat.
failure-cap = This is too long for what your allowance reserves.
failure-truncated = The connection was lost, and the answer ends here.
failure-sealed-stream = What came back was not sealed by the node, so nothing of it is shown.
failure-receipt-invalid = The node's bill does not match what it did. It was refused.
failure-price-unknown = The price changed meanwhile. Please try again.
failure-body-too-large = This message is too long to be sealed.
failure-bad-request = The node could not use this request.
failure-attestation = No node could be verified.

refusal-chain-root = The machine's certificate does not lead to a root that this app trusts. Real machines lead to Intel.
refusal-report-data = The keys that were offered are not the ones that the hardware vouches for. Somebody may have swapped them.
refusal-measurement = The machine runs software that is not a known Bombyx release.
refusal-attestation-id = The proof is genuine, but it is not this node's. Somebody may have swapped it.
refusal-node = The proof is genuine, but it is another node's.
refusal-node-id = The proof names another owner than the node does.
refusal-link-signature = The owner did not sign this machine's keys.
refusal-clock = This device's clock is wrong. Set it, then try again.
refusal-chain-view = The TON blockchain cannot be reached, so nobody can tell how fresh the proof is.
refusal-beacon-age = The machine's proof is too old. It must be renewed first.
refusal-beacon-unknown = The proof names a block that the TON blockchain does not have.
refusal-tcb-status = The machine's firmware has known weaknesses. Its owner must update it.
refusal-td-debug = The machine runs in debug mode: its owner could read everything.
refusal-cert-revoked = Intel has revoked this machine's certificate.
refusal-manifest = The node does not prove that it runs this model.
refusal-gpu-mode = The machine's GPU is not in a mode that this app accepts.
refusal-step-parse = The machine's proof is damaged or in an unknown form.
refusal-step-chain = The machine's certificates do not hold together.
refusal-step-crl = The list of revoked machines is missing, old or not genuine.
refusal-step-collateral = Intel's statement on this kind of machine is missing, old or not genuine.
refusal-step-signature = The machine's proof is not signed as it should be.
refusal-step-tcb = The machine's firmware is not what this app accepts.
refusal-step-attributes = The machine is not closed as tightly as this app demands.
refusal-step-measurement = The machine runs software that is not a known Bombyx release.
refusal-step-report-data = The machine's keys are not the ones that its hardware vouches for.
refusal-step-statement = What the machine says of itself does not hold together.
refusal-step-registry = The machine is not in the public registry, or was struck from it.
