network-intro = Кто здесь отвечает и насколько занят. Каждую машину ваше устройство проверяет само, прежде чем спросить.
network-unreachable = Сеть сейчас не видна
network-stale = Эти числа устарели
network-ready = Машин готово
network-answering = Ответов пишется
network-of-slots = из { $slots }
network-speed = Токенов в секунду
network-day = Запросов за сутки
network-plot = Запросы в минуту
network-plot-words = Запросы в минуту: { $last } в текущую минуту, не больше { $most }.
network-span = Показанное время
network-span-hour = 1 ч
network-span-day = 24 ч
network-machines = Машины
network-machines-note = Скорость каждая машина измерила сама при запуске. Шлюз считает оплаченные единицы и не знает, сколько токенов кто написал или прочёл.
network-more =
    { $count ->
        [one] Ещё { $count } машина
        [few] Ещё { $count } машины
       *[many] Ещё { $count } машин
    }
network-no-model = модели пока нет
network-tokens = { $speed } токенов/с
network-simulated = симуляция
network-open = открытый уровень: владелец может читать
network-load = Пишется ответов: { $running } из { $slots }
network-state-linked = проверяется
network-state-draining = завершает
network-state-quarantined = закрыта
network-models = Модели
network-models-note = Цена миллиона написанных токенов в GRAM (Toncoin). Владельцы могут просить больше или меньше; больше двойной цены ваше устройство не примет.
network-model-nodes =
    { $count ->
        [one] { $count } машина
        [few] { $count } машины
       *[many] { $count } машин
    }
network-price = { $price } GRAM
network-empty = Сейчас здесь нет ни одной машины
network-empty-text = Вопросы подождут, пока кто-то вернётся. Есть своя видеокарта? Станьте первым: вкладка «Доход».
