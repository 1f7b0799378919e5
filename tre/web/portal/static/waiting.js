// The bar of a question that is being measured: time that has gone by against the time of release, and nothing else.
"use strict";

const bar = document.querySelector("progress[data-from]");
const now = new Date(document.body.querySelector("[data-now]").dataset.now).getTime();
const ahead = Date.now() - now; // how far the reader's clock is ahead of the service's

if (bar) {
  const from = new Date(bar.dataset.from).getTime();
  const until = new Date(bar.dataset.until).getTime();
  const move = () => {
    const gone = (Date.now() - ahead - from) / (until - from);
    bar.value = Math.min(1, Math.max(0, gone));
  };
  move();
  setInterval(move, 200);
  setTimeout(() => location.reload(), Math.max(700, until - now + 300));
} else {
  setTimeout(() => location.reload(), 2000);
}
