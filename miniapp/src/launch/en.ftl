visitor-lead = Private AI for Telegram. Nobody on the way can read what you ask.
visitor-sealed = Your question is sealed on your own device. The network that carries it sees only noise.
visitor-verified = Before anything is sent, your device checks the machine that will answer: its hardware, its software, its model.
visitor-device = Conversations stay on your device. There is no account to make.
visitor-qr = QR code of { $link }
visitor-open = Open in Telegram
visitor-where = This page works inside Telegram: open the bot there and tap its menu button.
