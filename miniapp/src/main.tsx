import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { readLaunchParameters } from "./launch/launch-parameters.ts";

const container = document.getElementById("app");
if (!container) throw new Error("index.html has no #app");

const launch = readLaunchParameters(location.hash);
// Signed init data has no business in the address bar, the history or a screenshot.
if (launch) history.replaceState(null, "", location.pathname + location.search);

createRoot(container).render(
  <StrictMode>
    <App launch={launch} />
  </StrictMode>,
);
