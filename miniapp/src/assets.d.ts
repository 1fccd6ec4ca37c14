/** What Vite turns into modules. */
declare module "*.css";
declare module "*.ftl?raw" {
  const text: string;
  export default text;
}
