/** An answer of somebody who wants to learn who reads it, to be clicked, or to run. `host` must never be asked. */
export const hostileAnswer = (host: string): string => `# Hello

![a picture](https://${host}/pixel.png) and <img src="https://${host}/raw.png" onerror="window.ran = 1">

<script>window.ran = 1; fetch("https://${host}/script")</script>

<iframe src="https://${host}/frame"></iframe>

<svg onload="window.ran = 1"><use href="https://${host}/sprite.svg#a"/></svg>

<style>@import url("https://${host}/style.css"); body { background: url(https://${host}/back.png) }</style>

<link rel="prefetch" href="https://${host}/prefetch"><meta http-equiv="refresh" content="0;url=https://${host}/moved">

[run me](javascript:window.ran=1) [open me](tg://resolve?domain=evil&text=secret) [data](data:text/html,<script>window.ran=1</script>)

[your bank](https://${host}/login?from=answer) and https://${host}/bare and [sneaky](https://bank.example@${host}/)

[![nested](https://${host}/nested.png)](https://${host}/around)

![reference][later] and [reference][later]

| a | b |
|---|---|
| ![cell](https://${host}/cell.png) | <b onclick="window.ran = 1">bold</b> |

\\(\\href{javascript:window.ran=1}{tap} \\includegraphics{https://${host}/tex.png}\\) and \\(\\def\\a{\\a\\a}\\a\\)

\\[ \\url{https://${host}/tex} \\htmlStyle{background:url(https://${host}/tex-back.png)}{x} \\]

${">".repeat(3_000)} deep

\`\`\`html
<img src="https://${host}/code.png">
\`\`\`

[later]: https://${host}/later.png
`;
