// In the form of a question: Ctrl+Enter checks.
"use strict";

const sql = document.getElementById("sql");
const check = document.getElementById("check");

sql.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    check.click();
  }
});
