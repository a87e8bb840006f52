// Small comforts; every page works without them.
"use strict";

// The time zone of whoever has chosen none.
for (const zone of document.querySelectorAll("[data-own-zone]")) {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (own && (zone.tagName !== "SELECT" || [...zone.options].some((option) => option.value === own))) zone.value = own;
}

// The first fault of a form that came back.
const wrong = document.querySelector("[aria-invalid=true]");
if (wrong) wrong.focus();

// A preview that could not be made must not look as if it were of what is typed.
document.addEventListener("htmx:responseError", (event) => {
  const summary = document.querySelector("#preview-summary");
  if (summary) {
    summary.textContent =
      event.detail.xhr.status === 429
        ? "That was too fast for us. Wait a minute, then go on; the preview below is an older one."
        : "The preview could not be made; the one below is older. Go on typing to try again.";
  }
});
