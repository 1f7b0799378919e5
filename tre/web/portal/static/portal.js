// What scripts add on every page: times in the reader's own zone. Everything works without them.
"use strict";

const shown = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

for (const time of document.querySelectorAll("time[datetime*='T']")) {
  time.title = time.textContent;
  time.textContent = shown.format(new Date(time.dateTime));
}

const mistakes = document.querySelector(".mistakes");
if (mistakes) mistakes.focus();
