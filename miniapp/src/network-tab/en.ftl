network-intro = Who answers here, and how busy they are. Your device checks each machine itself before it asks.
network-unreachable = The network cannot be seen now
network-stale = These numbers are not new
network-ready = Machines ready
network-answering = Answers running
network-of-slots = of { $slots }
network-speed = Tokens per second
network-day = Requests in 24 h
network-plot = Requests per minute
network-plot-words = Requests per minute: { $last } in the running minute, { $most } at most.
network-span = Shown time
network-span-hour = 1 h
network-span-day = 24 h
network-machines = Machines
network-machines-note = Speeds are what each machine measured of itself at its start. The gateway counts billed units; it never learns how many tokens anybody wrote or read.
network-more =
    { $count ->
        [one] One more machine
       *[other] { $count } more machines
    }
network-no-model = no model yet
network-tokens = { $speed } tokens/s
network-simulated = simulated
network-open = open tier: its owner can read
network-load = { $running } of { $slots } answers running
network-state-linked = being verified
network-state-draining = finishing
network-state-quarantined = blocked
network-models = Models
network-models-note = The price of a million written tokens, in GRAM (Toncoin). Owners may ask more or less; your device refuses more than double.
network-model-nodes =
    { $count ->
        [one] One machine
       *[other] { $count } machines
    }
network-price = { $price } GRAM
network-empty = No machine is here now
network-empty-text = Questions wait until one comes back. With a GPU of your own you can be the first: see the tab Earn.
