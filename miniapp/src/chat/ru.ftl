chat-new = Новый чат
chat-conversations = Беседы
chat-question = Ваш вопрос
chat-placeholder = Сообщение
chat-placeholder-opening = Проверяем узел…
chat-placeholder-refused = Сейчас ничего нельзя отправить
chat-send = Отправить
chat-stop = Остановить
chat-retry = Ещё раз
chat-copy = Скопировать ответ
chat-copy-question = Скопировать вопрос
chat-copy-code = Скопировать код
chat-copied = Скопировано
chat-edit = Изменить и спросить снова
chat-editing = Вы меняете прежний вопрос. Всё, что было после него, заменится.
chat-edit-cancel = Не менять
chat-code = код
chat-table = Таблица
chat-picture = Картинка, не загружена
chat-thinking = Отвечает…
chat-latest = К последнему
chat-you = Вы
chat-stopped = Вы остановили ответ.
chat-length = Здесь модель достигла предела.
chat-moved = { $count ->
    [one] По пути ответ перешёл на другой проверенный узел
   *[other] По пути ответ переходил на другие проверенные узлы, раз: { $count }
}
chat-nothing-sent = Ничего не отправлено.
chat-not-kept = Хранилище устройства недоступно. Беседы останутся, пока страница открыта.
chat-empty-title = Спросите наедине
chat-empty-text = Вопрос запечатывается на этом устройстве. Открыть его может только проверенная машина.
chat-conversations-empty = Бесед пока нет.
chat-conversations-footer = Хранятся только на этом устройстве.
chat-untitled = Новый чат
chat-rename = Переименовать
chat-delete = Удалить
chat-delete-all = Удалить все
chat-delete-all-sure = Удалить все беседы на этом устройстве? Вернуть их будет нельзя.
chat-name = Название
chat-save = Сохранить
chat-cancel = Отмена

chip-opening = Ищем проверенный узел…
chip-sealed = Запечатано для проверенного узла
chip-simulated = Запечатано · железо имитируется
chip-refused = Не проверено · ничего не уходит

models-title = Модель
models-choose = Выбрать модель:
models-context = читает до { $tokens } токенов
models-nodes = { $count ->
    [one] { $count } узел
    [few] { $count } узла
   *[many] { $count } узлов
}
models-none = Сейчас ни одна модель не работает.
models-demo-title = Spark — крошечная демонстрация
models-demo-text = Она идёт вместе с сетью и показывает, что запечатывание, проверка и потоковый ответ работают. Понимает простой английский и знает мало.
models-real-title = Как подключить настоящую модель
models-real-local = Если сеть запускаете вы: MODEL=<файл.gguf> npm start, или имя модели, которая есть на этом компьютере в Ollama или LM Studio.
models-real-gpu = Если у вас есть GPU: добавьте его в разделе «Доход». Модель появится здесь, как только узел пройдёт проверку.

starter-spark-gateway = Can the gateway read what I write?
starter-spark-story = Tell me a story about a penguin.
starter-spark-gpu = How are people with GPUs rewarded?
starter-spark-capital = What is the capital of France?
starters-english = Spark понимает только простой английский.
starter-explain = Объясни простыми словами, как работает трансформер
starter-write = Помоги вежливо ответить на трудное письмо
starter-plan = Спланируй спокойные выходные в незнакомом городе
starter-code = Напиши на Python функцию, которая находит одинаковые файлы

failure-internal = Здесь что-то пошло не так. Попробуйте ещё раз.
failure-setup = Страница не настроена: файла bombyx.json рядом с ней нет или он неверен.
failure-offline = Нет соединения. Всё продолжится само, когда оно вернётся.
failure-closed = Страницу закрыли прежде, чем ответ пришёл целиком.
failure-gateway-unreachable = Сеть недоступна. Пробуем снова…
failure-no-candidate = Сейчас ни один узел не держит эту модель. Пробуем снова…
failure-model-unknown = Эту модель больше никто не держит.
failure-node-offline = Узел отключился.
failure-node-busy = Все узлы заняты. Попробуйте через минуту.
failure-node-failed = Узел отказал во время ответа.
failure-queue-full = Сейчас спрашивают слишком многие. Попробуйте через минуту.
failure-rate-limited = Слишком много сразу. Немного подождите.
failure-session-limit = Открыто слишком много сеансов. Немного подождите.
failure-draining = Шлюз перезапускается. Пробуем снова…
failure-unauthenticated = Вход истёк. Закройте страницу и откройте её снова в Telegram.
failure-init-data-expired = Страница открыта слишком давно. Закройте её и откройте снова в Telegram.
failure-init-data-invalid = Подпись Telegram на этом запуске недействительна. Закройте страницу и откройте её снова из бота.
failure-bot-not-registered = Этот бот не зарегистрирован на этом шлюзе.
failure-forbidden = Шлюз этого не разрешает.
failure-allowance-exhausted = Ваш лимит исчерпан.
failure-context-too-long = Это слишком длинно для модели. Сократите или начните новый чат.
failure-cap = Это слишком длинно для вашего лимита.
failure-truncated = Связь прервалась, ответ обрывается здесь.
failure-sealed-stream = Пришло то, что узел не запечатывал, поэтому ничего из этого не показано.
failure-receipt-invalid = Счёт узла не сходится с тем, что он сделал. Он отклонён.
failure-price-unknown = Цена успела измениться. Попробуйте ещё раз.
failure-body-too-large = Сообщение слишком длинное, чтобы его запечатать.
failure-bad-request = Узел не смог выполнить этот запрос.
failure-attestation = Ни один узел не прошёл проверку.

refusal-chain-root = Сертификат машины не ведёт к корню, которому доверяет это приложение. У настоящих машин он ведёт к Intel.
refusal-report-data = Предложены не те ключи, за которые ручается железо. Возможно, их подменили.
refusal-measurement = На машине работает программа, которой нет среди выпусков Bombyx.
refusal-attestation-id = Доказательство подлинное, но не этого узла. Возможно, его подменили.
refusal-node = Доказательство подлинное, но другого узла.
refusal-node-id = В доказательстве назван другой владелец, чем у узла.
refusal-link-signature = Владелец не подписал ключи этой машины.
refusal-clock = На этом устройстве неверное время. Исправьте его и попробуйте снова.
refusal-chain-view = Блокчейн TON недоступен, и нельзя сказать, насколько доказательство свежее.
refusal-beacon-age = Доказательство машины устарело. Сначала его нужно обновить.
refusal-beacon-unknown = В доказательстве назван блок, которого нет в блокчейне TON.
refusal-tcb-status = В прошивке машины известны слабые места. Владелец должен её обновить.
refusal-td-debug = Машина в режиме отладки: её владелец мог бы всё прочесть.
refusal-cert-revoked = Intel отозвала сертификат этой машины.
refusal-manifest = Узел не доказывает, что на нём работает эта модель.
refusal-gpu-mode = GPU машины в режиме, который это приложение не принимает.
refusal-step-parse = Доказательство машины повреждено или имеет неизвестный вид.
refusal-step-chain = Сертификаты машины не сходятся.
refusal-step-crl = Списка отозванных машин нет, он устарел или подделан.
refusal-step-collateral = Свидетельства Intel об этом виде машин нет, оно устарело или подделано.
refusal-step-signature = Доказательство машины подписано не так, как должно.
refusal-step-tcb = Прошивка машины не та, которую принимает это приложение.
refusal-step-attributes = Машина закрыта не так плотно, как требует это приложение.
refusal-step-measurement = На машине работает программа, которой нет среди выпусков Bombyx.
refusal-step-report-data = Ключи машины не те, за которые ручается её железо.
refusal-step-statement = То, что машина говорит о себе, не сходится.
refusal-step-registry = Машины нет в открытом реестре, или её оттуда исключили.
