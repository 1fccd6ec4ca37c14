/** What renders answers; fetched once a question was asked, so that it holds up neither the first paint nor the first question. */
export const markdownModule = () => import("./markdown/markdown.tsx");
