wallet-intro = Что у вас есть, сколько стоят ответы и доказательство каждого счёта.
wallet-unreachable = Ваш счёт сейчас не видно
wallet-stale = Эти числа уже не новые
wallet-free = Бесплатно сегодня
wallet-of = из { $whole } GRAM
wallet-stars = Куплено за звёзды
wallet-deposit = Ваш депозит
wallet-balance = Баланс
wallet-promise = Обещание спонсора
wallet-promise-text = Без собственного депозита ничего не подписывается: здесь стоит слово того, кто держит этого бота, в счёт его депозита.
wallet-resets = Бесплатные ответы снова полны в { $at }.
wallet-own = Ваш кошелёк
wallet-own-note = Для владельцев GPU: на него платят заработанное. Чтобы спрашивать, кошелёк не нужен.
wallet-connect = Подключить кошелёк
wallet-proven = Вы доказали, что он ваш
wallet-copy = Скопировать адрес
wallet-replace = Подключить другой
wallet-forget = Забыть
wallet-forget-sure = Забыть этот кошелёк?
wallet-forget-text = Машины, которые платят на него, будут платить и дальше. Чтобы подключить его снова, подпишите ещё раз.
wallet-cancel = Отмена
wallet-spent = Потрачено за день
wallet-spent-words = { $total } GRAM потрачено за { $days } дней
wallet-deposits = Приход и расход
wallet-deposits-none = Здесь будут купленные звёзды и возвраты.
wallet-nothing-yet = Пока ничего
wallet-line-deposit = Депозит
wallet-line-request = Ответ
wallet-line-stars = Куплено за звёзды
wallet-line-refund = Звёзды возвращены
wallet-line-withdrawal = Выведено
wallet-stars-count =
    { $count ->
        [one] { $count } звезда
        [few] { $count } звезды
       *[other] { $count } звёзд
    }
wallet-receipts = Квитанции
wallet-receipts-none = Каждый ответ приносит квитанцию, которую подписывает его машина.
wallet-receipts-note = Подписаны машиной, которая отвечала. Откройте любую и проверьте на этом устройстве.
wallet-receipt = Квитанция
wallet-receipt-detail = { $at } · { $units } ед. · { $purse }
wallet-model = Модель
wallet-model-forgotten = Прежняя модель
wallet-when = Рассчитано
wallet-units = Единицы
wallet-charged = Списано
wallet-node = Машина
wallet-purse-allowance = бесплатно
wallet-purse-stars = звёзды
wallet-purse-channel = ваш депозит
wallet-purse-sponsor = спонсор
