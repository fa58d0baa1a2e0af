'use strict';
// The sentences behind a number: read only when first asked for, searched here, set as text and never as markup.
const evidence = (() => {
  const PAGE = 30;
  const dialog = document.getElementById('evidence');
  const form = document.getElementById('filters');
  const list = document.getElementById('sentences');
  let data = null, matches = [], shown = 0;

  const make = (name, content, kind) => {
    const element = document.createElement(name);
    if (content !== undefined && content !== null) element.textContent = content;
    if (kind) element.className = kind;
    return element;
  };

  const add = (name, title, options) => {
    const label = make('label', title), select = make('select');
    select.name = name;
    for (const [value, text] of options) {
      const option = make('option', text);
      option.value = value;
      select.append(option);
    }
    label.append(select);
    form.append(label);
  };

  const sorted = names => names.map(name => [name, name]).sort((a, b) => a[0].localeCompare(b[0]));

  const load = () => {
    if (data) return;
    data = JSON.parse(document.getElementById('evidence-data').textContent);
    data.perSentence = data.tasks.filter(task => !task[2]);
    data.perActor = data.tasks.filter(task => task[2]);
    const months = [...new Set(data.documents.map(one => one[1] && one[1].slice(0, 7)).filter(Boolean))].sort();
    const titles = new Map();
    for (const one of data.documents) if (one[3] >= 0 && (one[5] || !titles.has(one[3]))) titles.set(one[3], one[0]);
    add('actor', 'Actor', [['', 'any'], ...sorted(data.actors)]);
    for (const [name, labels] of [...data.perActor, ...data.perSentence])
      add('task:' + name, name, [['', 'any'], ...labels.map(label => [label, label]), ['none', 'none of these']]);
    add('outlet', 'Outlet', [['', 'any'], ...sorted(data.outlets)]);
    add('month', 'Month', [['', 'any'], ...months.map(month => [month, month])]);
    if (data.events.length)
      add('event', 'Event', [['', 'any'], ...data.events.map((name, k) => [name, titles.get(k) || name])]);
    add('copies', 'Copies of one report', [['once', 'once'], ['all', 'all']]);
    const clear = make('button', 'Clear', 'plain');
    clear.type = 'button';
    clear.addEventListener('click', () => { fill({}); search(); });
    form.append(clear);
  };

  const fill = filters => {
    for (const field of form.elements) {
      if (!field.name) continue;
      const wanted = filters[field.name.replace(/^task:/, '')] ?? (field.name === 'copies' ? 'once' : '');
      field.value = wanted;
    }
  };

  const read = () => Object.fromEntries([...new FormData(form)].filter(([, value]) => value.trim()));

  // The probability with which a label was given; 0 for "none"; null where the answer is another.
  const given = (answer, labels, wanted) => {
    if (answer === null) return null;
    if (wanted === 'none') return answer.length ? null : 0;
    const found = answer.find(([label]) => labels[label] === wanted);
    return found ? found[1] : null;
  };

  // Null where the sentence does not match, else its actors that do, and how sure the model is of them.
  const check = (sentence, filters, place) => {
    const [document_, text, answers, actors] = sentence, about = data.documents[document_];
    if (filters.copies !== 'all' && !about[5]) return null;
    if (place.outlet !== undefined && about[2] !== place.outlet) return null;
    if (place.event !== undefined && about[3] !== place.event) return null;
    if (filters.month && !(about[1] || '').startsWith(filters.month)) return null;
    if (place.words && !(text + ' ' + (about[0] || '')).toLowerCase().includes(place.words)) return null;
    let sure = 0;
    for (const [k, [name, labels]] of data.perSentence.entries()) {
      const wanted = filters['task:' + name];
      const chance = wanted ? given(answers[k], labels, wanted) : 0;
      if (chance === null) return null;
      sure = Math.max(sure, chance);
    }
    const asked = data.perActor.map(([name, labels], k) => [filters['task:' + name], labels, k]).filter(([wanted]) => wanted);
    if (place.actor === undefined && !asked.length) return { sentence, actors: [], sure };
    const fitting = actors.filter(actor => place.actor === undefined || actor[0] === place.actor)
      .map(actor => [actor, ...asked.map(([wanted, labels, k]) => given(actor[3][k], labels, wanted))])
      .filter(([, ...chances]) => chances.every(chance => chance !== null));
    if (!fitting.length) return null;
    return { sentence, actors: fitting.map(([actor]) => actor), sure: Math.max(sure, ...fitting.flatMap(([, ...c]) => c)) };
  };

  const plural = (n, word) => `${n.toLocaleString('en')} ${word}${n === 1 ? '' : 's'}`;

  const search = () => {
    const filters = read(), place = {};
    for (const [name, names] of [['actor', data.actors], ['outlet', data.outlets], ['event', data.events]])
      if (filters[name]) place[name] = names.indexOf(filters[name]);
    place.words = (filters.text || '').trim().toLowerCase();
    matches = data.sentences.map(sentence => check(sentence, filters, place)).filter(Boolean);
    matches.sort((a, b) => b.sure - a.sure);
    const pairs = matches.reduce((sum, match) => sum + match.actors.length, 0);
    const also = pairs > matches.length ? ` (with ${plural(pairs, 'actor')})` : '';
    document.getElementById('found').textContent =
      matches.length ? plural(matches.length, 'sentence') + also : 'No sentence fits; clear a filter or search for other words.';
    list.replaceChildren();
    shown = 0;
    more();
    const state = Object.entries(filters).filter(([name, value]) => !(name === 'copies' && value === 'once'));
    try { history.replaceState(null, '', '#' + new URLSearchParams([['find', '1'], ...state])); } catch { /* a page kept in a frame */ }
  };

  const more = () => {
    const first = shown;
    for (const match of matches.slice(shown, shown + PAGE)) list.append(show(match));
    shown = Math.min(shown + PAGE, matches.length);
    const next = document.getElementById('next');
    next.hidden = shown >= matches.length;
    next.textContent = `Show more (${shown.toLocaleString('en')} of ${matches.length.toLocaleString('en')})`;
    return list.children[first];
  };

  const chips = (answer, labels, who) => {
    if (answer === null) return [];
    if (!answer.length) return [make('span', `${who}: none`, 'chip')];
    return answer.map(([label, chance]) => make('span', `${who}: ${labels[label]} ${Math.round(chance * 100)}%`, 'chip given'));
  };

  const show = ({ sentence: [document_, text, answers, actors], actors: found }) => {
    const [title, date, outlet, , address, counted] = data.documents[document_];
    const item = make('li'), quote = make('blockquote');
    const spans = (found.length ? found : actors).map(actor => [actor[1], actor[2]]).filter(([start]) => start >= 0).sort((a, b) => a[0] - b[0]);
    let at = 0;
    for (const [start, end] of spans) {
      if (start < at) continue;
      quote.append(text.slice(at, start), make('mark', text.slice(start, end)));
      at = end;
    }
    quote.append(text.slice(at));
    quote.dir = 'auto';
    const labels = make('div');
    for (const actor of actors)
      for (const [k, [, names]] of data.perActor.entries()) labels.append(...chips(actor[3][k], names, data.actors[actor[0]]));
    for (const [k, [name, names]] of data.perSentence.entries()) labels.append(...chips(answers[k], names, name));
    const source = make('div', null, 'hint');
    const head = make(address ? 'a' : 'span', title || 'no title');
    if (address) { head.href = address; head.rel = 'noreferrer noopener'; head.target = '_blank'; }
    source.append(head, ` · ${outlet < 0 ? 'no outlet' : data.outlets[outlet]} · ${date || 'no date'}${counted ? '' : ' · a copy'}`);
    item.append(quote, labels, source);
    return item;
  };

  const open = filters => {
    load();
    fill(filters);
    search();
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    document.getElementById('evidence-title').focus();
  };

  form.addEventListener('input', () => search());
  form.addEventListener('submit', event => event.preventDefault());
  document.getElementById('next').addEventListener('click', () => {
    const first = more();
    if (first) { first.tabIndex = -1; first.focus(); }
  });
  document.getElementById('close').addEventListener('click', () => dialog.close());
  dialog.addEventListener('click', event => { if (event.target === dialog && event.clientX < dialog.getBoundingClientRect().left) dialog.close(); });
  dialog.addEventListener('close', () => { try { history.replaceState(null, '', location.pathname + location.search); } catch { /* as above */ } });
  document.addEventListener('click', event => {
    const button = event.target.closest('[data-find]');
    if (button) open(JSON.parse(button.dataset.find));
    const rest = event.target.closest('[data-more]');
    if (rest) {
      const rows = [...rest.previousElementSibling.querySelectorAll('tr.more')];
      rows.forEach(row => { row.hidden = false; });
      rows[0].querySelector('button').focus();
      rest.remove();
    }
  });
  const linked = new URLSearchParams(location.hash.slice(1));
  if (linked.has('find')) {
    open(Object.fromEntries([...linked].map(([name, value]) => [name.replace(/^task:/, ''), value])));
  }
  return { open, make };
})();
