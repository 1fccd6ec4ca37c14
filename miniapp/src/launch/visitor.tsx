/** For people who open the page in a browser: there is nobody to answer for them here. */
export function Visitor() {
  return (
    <section className="visitor">
      <h1>Bombyx</h1>
      <p>
        Private AI for Telegram. Your question is sealed on your own device, to a machine that your device
        verified first.
      </p>
      <p>This page works inside Telegram: open the bot there and tap its menu button.</p>
    </section>
  );
}
