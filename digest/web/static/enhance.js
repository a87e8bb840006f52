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
