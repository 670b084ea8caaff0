"use strict";
(() => {
  const find = (id) => document.getElementById(id);
  const sections = [...document.querySelectorAll("details.function")];
  const [name, backend, wrong, failed, shown] =
    ["by-name", "by-backend", "only-wrong", "only-failed", "shown"].map(find);
  if (!name) return;
  const apply = () => {
    const part = name.value.trim().toLowerCase();
    let count = 0;
    for (const section of sections) {
      const { name: known, backends, wrong: went, failed: ended } = section.dataset;
      const fits = known.includes(part)
        && (!backend.value || backends.split(" ").includes(backend.value))
        && (!wrong.checked || went === "yes")
        && (!failed.checked || ended === "yes");
      section.hidden = !fits;
      count += fits;
    }
    shown.textContent = `${count} shown`;
  };
  for (const control of [name, backend, wrong, failed]) control.addEventListener("input", apply);
  name.form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("beforeprint", () => sections.forEach((section) => { section.open = true; }));
  apply();
})();
