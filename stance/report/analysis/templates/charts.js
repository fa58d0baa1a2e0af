'use strict';
// Draws what a chart's select chooses, in the page's own colours, and the same numbers as a table.
(() => {
  const { specs, charts } = JSON.parse(document.getElementById('chart-data').textContent);
  const { make, open } = evidence;
  const percent = (share, signed) => share === null ? '–' :
    (signed && share > 0 ? '+' : '') + (share * 100).toFixed(Math.abs(share) < .095 && share !== 0 ? 1 : 0) + '%';
  const color = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const theme = () => {
    const ink = color('--ink'), soft = color('--soft'), accent = color('--accent');
    const axis = { labelColor: ink, titleColor: soft, domainColor: soft, tickColor: soft, gridColor: color('--line'), labelFontSize: 12 };
    return { background: 'transparent', view: { stroke: null }, aria: false, axis, font: 'system-ui, sans-serif',
      line: { color: accent }, area: { color: accent }, point: { color: accent }, rule: { color: accent } };
  };

  // One entry per month, so that a line breaks where nothing was published.
  const months = rows => {
    const found = new Map(rows.map(row => [row.month, row])), filled = [];
    let [year, month] = rows[0].month.split('-').map(Number);
    const last = rows[rows.length - 1].month;
    for (let key = rows[0].month; key <= last && filled.length < 1200;) {
      filled.push(found.get(key) || { month: key, day: key + '-01T00:00', value: null, low: null, high: null, share: null });
      month += 1;
      if (month > 12) { month = 1; year += 1; }
      key = `${year}-${String(month).padStart(2, '0')}`;
    }
    return filled;
  };

  const toRows = (kind, rows) => rows.map(([x, n, documents, count, share, value, low, high]) => kind === 'months' ?
    { month: x, day: x + '-01T00:00', n, documents, count, share, value, low, high } : { outlet: x, n, documents, count, share, value, low, high });

  const draw = chart => {
    const root = document.getElementById('chart-' + chart.id), key = root.querySelector('select').value;
    const plots = root.querySelector('.plots'), monthly = chart.kind === 'months';
    const [, task, who] = chart.options.find(option => option[0] === key);
    const filters = row => monthly ?
      { month: row.month, ...(key.endsWith('/') ? {} : { actor: who }) } : { outlet: row.outlet, copies: 'all' };
    plots.replaceChildren();
    for (const [label, list] of Object.entries(chart.rows[key])) {
      if (label === 'none') continue;
      const rows = toRows(chart.kind, list), figure = make('figure'), plot = make('div', null, 'plot');
      figure.append(make('figcaption', label), plot);
      plots.append(figure);
      plot.setAttribute('role', 'img');
      plot.setAttribute('aria-label', `${task}, ${label}, ${who}: ${rows.length} ${monthly ? 'months' : 'outlets'}; the table below holds the numbers`);
      const spec = { ...specs[chart.kind], datasets: { ...specs[chart.kind].datasets, rows: monthly ? months(rows) : rows } };
      if (!monthly) spec.height = 26 * rows.length;
      vegaEmbed(plot, spec, { actions: false, ast: true, renderer: 'svg', logLevel: 1, config: theme(), tooltip: { theme: matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light' } })
        .then(({ view }) => view.addEventListener('click', (_, item) => {
          if (item && item.datum && item.datum.count) open({ ...filters(item.datum), [task]: label });
        }));
    }
    tabulate(root.querySelector('details .scroll'), chart, { key, task, filters, monthly });
  };

  const tabulate = (place, chart, { key, task, filters, monthly }) => {
    const table = make('table'), head = make('tr'), body = make('tbody'), series = Object.entries(chart.rows[key]);
    for (const name of [monthly ? 'month' : 'outlet', monthly ? 'all' : 'events', ...series.map(([label]) => label)]) {
      const cell = make('th', name);
      cell.scope = 'col';
      head.append(cell);
    }
    toRows(chart.kind, series[0][1]).forEach((first, at) => {
      const line = make('tr'), name = make('th', monthly ? first.month : first.outlet);
      name.scope = 'row';
      line.append(name, make('td', monthly ? first.n : first.documents));
      for (const [label, list] of series) {
        const row = toRows(chart.kind, [list[at]])[0], cell = make('td');
        const button = make(row.count ? 'button' : 'span', row.count, row.count ? 'n' : 'n zero');
        if (row.count) {
          button.type = 'button';
          button.dataset.find = JSON.stringify({ ...filters(row), [task]: label });
          button.setAttribute('aria-label', `${name.textContent}, ${label}, ${row.count} of ${row.n}: show the sentences`);
        }
        const range = row.low === null ? '' : ` ${percent(row.low, !monthly)} to ${percent(row.high, !monthly)}`;
        cell.append(button, make('span', percent(row.value, !monthly) + range, 'share'));
        line.append(cell);
      }
      body.append(line);
    });
    const top = make('thead');
    top.append(head);
    table.append(top, body);
    place.replaceChildren(table);
  };

  const all = () => charts.forEach(draw);
  charts.forEach(chart => document.getElementById('chart-' + chart.id).querySelector('select').addEventListener('change', () => draw(chart)));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', all);
  all();
})();
