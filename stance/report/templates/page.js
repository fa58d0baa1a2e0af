"use strict";
// Each filter form hides the entries of its list that do not hold all words, or none of the chosen keys.
for (const form of document.querySelectorAll("form[data-filter]")) {
  const entries = [...document.getElementById(form.dataset.filter).children].map((node) => ({
    node,
    text: node.textContent.toLowerCase(),
    keys: (node.dataset.keys || "").split(" ").filter(Boolean).map((key) => key.split("=")),
  }));
  const chosen = (name) => (form.elements[name] ? form.elements[name].value : "");
  const apply = () => {
    const words = chosen("words").toLowerCase().split(/\s+/).filter(Boolean);
    const label = chosen("label");
    const kind = chosen("kind");
    let shown = 0;
    for (const { node, text, keys } of entries) {
      const fits = (key) => (!label || key[0] === label) && (!kind || key[1] === kind);
      node.hidden = !(words.every((word) => text.includes(word)) && (!(label || kind) || keys.some(fits)));
      shown += node.hidden ? 0 : 1;
    }
    form.querySelector("output").textContent = `${shown} of ${entries.length} shown`;
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  apply();
}
