/** What renders answers; fetched once a question can be asked, so that it does not hold up the first paint. */
export const markdownModule = () => import("./markdown/markdown.tsx");
