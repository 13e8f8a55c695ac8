// Draws a view (see session.py).
(() => {
  const { h, colour, shade, text, key, drawn } = draw;
  const start = JSON.parse(document.getElementById("view").textContent);
  const chosen = {};
  const kept = { filters: {}, sorts: {}, open: {} };
  let view = start;
  let asked = 0;

  // --- steps -------------------------------------------------------------------------------------------------------------

  function visible(item) {
    return (item.when || []).every((one) => ((view.values || {})[one.name] === one.value) === one.equal);
  }
  function items(list) {
    const row = h("div", { class: "row" });
    for (const item of list) {
      if (!visible(item)) continue;
      const width = parseFloat(item.width);
      const share = width > 0 && width < 100 ? { flex: `1 1 calc(${width}% - 16px)`, "max-width": "100%" } : {};
      row.append(h("section", { class: "step", style: share, "data-step": item.name }, step(item)));
    }
    return row;
  }
  function step(item) {
    if (item.kind === "text") {
      const node = h("div", { class: `text ${item.style || ""}` });
      node.innerHTML = item.html; // sanitised by markdown.py
      return node;
    }
    if (item.kind === "parameters") return h("div", { class: "inputs" }, item.items.map(input));
    if (item.kind === "links") return item.style === "tabs" ? tabs(item) : links(item);
    if (item.kind === "group") return group(item);
    const bare = item.tiles && !item.error;
    return h("div", { class: bare ? "bare" : "card" }, item.title ? h("h3", {}, item.title) : null, body(item));
  }
  function body(item) {
    if (item.error) return h("pre", { class: "fault", role: "alert" }, item.error);
    if (item.note) return h("div", { class: "note" }, item.note);
    if (item.empty) return h("div", { class: "note" }, item.empty);
    if (item.chart) return chart(item);
    const shape = item.graph ? "graph" : item.hexagons ? "hexagons" : item.points ? "map" : null;
    if (shape) return [draw.shapes[shape](item, (place, node) => clicks(item, place, node)), item.remark ? h("div", { class: "note" }, item.remark) : null, data(item.data.columns, item.data.rows)];
    if (item.tiles) return tiles(item);
    return item.columns ? grid(item) : null;
  }
  function group(item) {
    const inner = items(item.items);
    if (!item.expandable) return h("div", { class: "group" }, item.title ? h("h2", {}, item.title) : null, inner);
    return h("details", { class: "group", open: item.expanded }, h("summary", {}, item.title || item.name), inner);
  }

  // --- parameters and links ----------------------------------------------------------------------------------------------

  function choose(values, focus) {
    Object.assign(chosen, values);
    refresh(focus);
  }
  function input(item) {
    const label = h("span", { class: "label", title: item.help }, item.label);
    const control = { time, text: field, dropdown: item.multiple ? several : one, options: pills, multi: several }[item.type] || (item.choices && item.choices.length ? one : fixed);
    const off = view.static;
    return h("div", { class: "input", "data-input": item.name }, label, off && item.type !== "fixed" ? fixed(item) : control(item), item.error ? h("span", { class: "label" }, "The query of its values failed.") : null);
  }
  const fixed = (item) => h("span", { class: "fixed" }, item.shown || "—");
  function time(item) {
    const options = item.ranges.map((range) => h("option", { value: range.ms, selected: range.ms === item.ms && !item.custom }, range.label));
    if (item.custom) options.push(h("option", { value: "", selected: true }, item.shown));
    options.push(h("option", { value: "custom" }, "Custom…"));
    const holder = h("span", { class: "custom" });
    const change = (event) => {
      if (event.target.value === "custom") custom(holder, item);
      else if (event.target.value) choose({ [item.name]: { durationMs: Number(event.target.value) } });
    };
    return [h("select", { "aria-label": item.label, "data-focus": item.name, onchange: change }, options), holder];
  }
  function custom(holder, item) {
    const box = (name, value) => h("input", { type: "datetime-local", "aria-label": `${item.label}, ${name} (UTC)`, value: value.slice(0, 16) });
    const from = box("from", item.start), to = box("to", item.end), utc = (node) => `${node.value}:00Z`;
    const apply = () => from.value && to.value && from.value < to.value && choose({ [item.name]: { durationMs: 0, startTime: utc(from), endTime: utc(to) } }, item.name);
    holder.replaceChildren(from, to, h("button", { type: "button", class: "plain", onclick: apply }, "Apply"));
    from.focus();
  }
  function field(item) {
    const change = (event) => choose({ [item.name]: event.target.value });
    return h("input", { type: "text", "aria-label": item.label, "data-focus": item.name, value: (item.value || [""])[0], placeholder: item.help || "", onchange: change });
  }
  function one(item) {
    const options = item.choices.map((entry) => h("option", { value: entry.value, selected: item.value.includes(entry.value) }, entry.label));
    if (!item.choices.some((entry) => item.value.includes(entry.value))) options.unshift(h("option", { value: "", selected: true }, "(choose)"));
    return h("select", { "aria-label": item.label, "data-focus": item.name, onchange: (event) => choose({ [item.name]: event.target.value }) }, options);
  }
  function pills(item) {
    const button = (entry) => h("button", { type: "button", "aria-pressed": String(item.value.includes(entry.value)), "data-focus": `${item.name}=${entry.value}`,
      onclick: () => choose({ [item.name]: entry.value }) }, entry.label);
    return h("span", { class: "pills", role: "group", "aria-label": item.label }, item.choices.map(button));
  }
  function several(item) {
    const all = "value::all";
    const pick = (entry, on) => {
      const rest = item.value.filter((value) => value !== entry.value && value !== all && value !== "");
      const next = entry.value === all ? (on ? [all] : []) : on ? [...rest, entry.value] : rest;
      choose({ [item.name]: next.length || !item.choices.some((other) => other.value === all) ? next : [all] });
    };
    const box = (entry) => h("label", {}, h("input", { type: "checkbox", checked: item.value.includes(entry.value), "data-focus": `${item.name}=${entry.value}`,
      onchange: (event) => pick(entry, event.target.checked) }), entry.label);
    const open = kept.open[item.name];
    return h("details", { class: "multi", open, ontoggle: (event) => { kept.open[item.name] = event.target.open; } },
      h("summary", { "aria-label": `${item.label}: ${item.shown || "none"}`, "data-focus": item.name }, item.shown || "(none)"),
      h("div", { class: "menu" }, item.choices.length ? item.choices.map(box) : h("span", { class: "note" }, "There is nothing to choose.")));
  }
  function tabs(item) {
    const active = (link) => (view.static ? (view.values || {})[link.parameter] === link.value : link.active);
    const pick = (link) => {
      if (!link.parameter) return;
      if (!view.static) return choose({ [link.parameter]: link.value }, `tab ${link.parameter}=${link.value}`);
      view.values[link.parameter] = link.value;
      return paint(`tab ${link.parameter}=${link.value}`);
    };
    const move = (event, place) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) pick(item.links[(place + step + item.links.length) % item.links.length]);
    };
    const button = (link, place) => h("button", { type: "button", role: "tab", "aria-selected": String(active(link)), tabindex: active(link) ? 0 : -1,
      "data-focus": `tab ${link.parameter}=${link.value}`, "data-active": active(link), onclick: () => pick(link), onkeydown: (event) => move(event, place) }, link.label || link.before);
    return h("div", { class: "tabs", role: "tablist" }, item.links.map(button));
  }
  function links(item) {
    const drawLink = (link) => {
      const name = link.label || link.url || link.parameter;
      const target = link.url ? h("a", { href: link.url, target: "_blank", rel: "noopener noreferrer" }, name)
        : link.parameter && !view.static ? h("button", { type: "button", onclick: () => choose({ [link.parameter]: link.value }) }, name) : h("span", {}, name);
      return h("span", {}, link.before, link.before ? " " : "", target, link.after ? ` ${link.after}` : "");
    };
    return h("div", { class: "links" }, item.links.map(drawLink));
  }

  // --- tables and tiles --------------------------------------------------------------------------------------------------

  function clicks(item, place, node) {
    if (!item.clicks || view.static) return node;
    const selected = item.active.includes(place);
    const act = () => choose(item.several ? several_rows(item, place) : selected ? item.unclick : item.clicks[place]);
    node.classList.add("click");
    node.setAttribute("tabindex", "0");
    node.setAttribute(node.tagName === "TR" ? "aria-selected" : "aria-pressed", String(selected));
    if (node.tagName !== "TR") node.setAttribute("role", "button");
    node.setAttribute("data-focus", `${item.name} ${JSON.stringify(item.clicks[place])}`);
    node.addEventListener("click", act);
    node.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); act(); } });
    return node;
  }
  function several_rows(item, place) {
    const rows = item.active.includes(place) ? item.active.filter((one) => one !== place) : [...item.active, place];
    return Object.fromEntries(Object.keys(item.unclick).map((name) => [name, [...new Set(rows.map((row) => item.clicks[row][name]))]]));
  }
  function grid(item) {
    const head = h("tr", {}, item.columns.map((column, place) => heading(item, column, place)));
    const found = branches(item);
    const tbody = h("tbody", {}, found.map((entry) => entry.node));
    const table = h("table", { class: "grid", role: item.tree ? "treegrid" : item.clicks && !view.static ? "grid" : null, "aria-label": item.title || item.name }, h("thead", {}, head), tbody);
    const count = h("span", { "aria-live": "polite" });
    const filter = (needle) => {
      const shown = unfold(item, found, needle.toLowerCase());
      const all = item.total > item.rows.length ? `the first ${item.rows.length} of ${item.total} rows` : `${item.rows.length} row${item.rows.length === 1 ? "" : "s"}`;
      count.textContent = needle ? `${shown} of ${all}` : all;
    };
    const box = item.filter ? h("input", { type: "search", placeholder: "Search", "aria-label": `Search in ${item.title || "the table"}`, value: kept.filters[item.name] || "",
      "data-focus": `filter ${item.name}`, oninput: (event) => { kept.filters[item.name] = event.target.value; filter(event.target.value); } }) : null;
    filter(kept.filters[item.name] || "");
    return [item.remark ? h("div", { class: "note" }, item.remark) : null, h("div", { class: "tools" }, box, count, item.clicks && !view.static ? h("span", {}, "· a row opens details") : null),
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": item.title || item.name }, table)];
  }
  // The rows of a table, or the entries of a tree: parents first, siblings in the order that the reader has chosen.
  function branches(item) {
    const tree = item.tree || { column: -1, entries: item.rows.map((_, row) => ({ parent: -1, depth: 0, row })) };
    const sort = kept.sorts[item.name], below = new Map(), found = [];
    const cells = (entry) => entry.cells || item.rows[entry.row];
    tree.entries.forEach((entry, number) => below.set(entry.parent, [...(below.get(entry.parent) || []), number]));
    const order = (numbers) => {
      if (!sort || sort.column >= item.columns.length) return numbers;
      const by = (number) => key(cells(tree.entries[number])[sort.column]);
      return [...numbers].sort((a, b) => { const x = by(a), y = by(b); return (x < y ? -1 : x > y ? 1 : 0) * (sort.down ? -1 : 1); });
    };
    const add = (number, parent) => {
      const entry = tree.entries[number], inner = below.get(number) || [];
      const own = { entry, parent, cells: cells(entry), inner: inner.length > 0, path: `${parent ? parent.path : ""}/${text(cells(entry)[Math.max(0, tree.column)])}` };
      found.push(own);
      own.node = line(item, own, tree.column);
      order(inner).forEach((one) => add(one, own));
    };
    order(below.get(-1) || []).forEach((number) => add(number, null));
    return found;
  }
  function line(item, own, branch) {
    const { entry } = own;
    const row = h("tr", { class: entry.cells ? "group-row" : "", "aria-level": item.tree ? entry.depth + 1 : null }, own.cells.map((cell, column) => {
      const heat = cell && typeof cell === "object" && "heat" in cell;
      const inside = column !== branch ? drawn(cell) : h("span", { class: "branch", style: { "padding-left": `${entry.depth * 18}px` } }, own.inner ? expander(item, own) : h("i", {}),
        drawn(cell), cell && cell.count ? h("span", { class: "count" }, String(cell.count)) : null);
      return h("td", { class: item.columns[column].right ? "right" : "", title: (cell && cell.full) || (String(text(cell)).length > 40 ? text(cell) : null),
        style: heat ? { background: shade(cell.palette, cell.heat) } : {} }, inside);
    }));
    return entry.cells ? row : clicks(item, entry.row, row);
  }
  const opened = (item) => (kept.open[`tree ${item.name}`] = kept.open[`tree ${item.name}`] || {});
  const isOpen = (item, own) => { const state = opened(item)[own.path]; return state === undefined ? own.entry.open : state; };
  function expander(item, own) {
    const set = (open) => { opened(item)[own.path] = open; own.unfold(); };
    const move = (event) => {
      const buttons = [...event.target.closest("tbody").querySelectorAll("tr:not([hidden]) .branch > button")];
      const at = buttons.indexOf(event.target);
      if (event.key === "ArrowRight" && !isOpen(item, own)) set(true);
      else if (event.key === "ArrowLeft" && isOpen(item, own)) set(false);
      else if (event.key === "ArrowLeft" && own.parent) own.parent.node.querySelector(".branch > button").focus();
      else if (event.key === "ArrowDown" && buttons[at + 1]) buttons[at + 1].focus();
      else if (event.key === "ArrowUp" && at > 0) buttons[at - 1].focus();
      else if (!event.key.startsWith("Arrow")) return event.stopPropagation();
      event.preventDefault();
      return event.stopPropagation();
    };
    return h("button", { type: "button", "aria-label": `Rows of ${text(own.cells[item.tree.column]) || "(empty)"}`, "data-focus": `tree ${item.name} ${own.path}`,
      onclick: (event) => { event.stopPropagation(); set(!isOpen(item, own)); }, onkeydown: move });
  }
  // Shows the rows that the reader looks for, or those whose parents are open; gives the number of rows found.
  function unfold(item, found, needle) {
    let shown = 0;
    for (const own of found) own.hit = !needle || own.node.textContent.toLowerCase().includes(needle);
    for (const own of [...found].reverse()) if (own.hit && own.parent && needle) own.parent.hit = true;
    for (const own of found) {
      own.node.hidden = !own.hit || Boolean(!needle && own.parent && (own.parent.node.hidden || !isOpen(item, own.parent)));
      if (own.hit && !own.entry.cells) shown += 1;
      if (!own.inner) continue;
      const open = Boolean(needle) || isOpen(item, own);
      own.node.setAttribute("aria-expanded", String(open));
      own.node.querySelector(".branch > button").setAttribute("aria-expanded", String(open));
      own.unfold = () => unfold(item, found, (kept.filters[item.name] || "").toLowerCase());
    }
    return shown;
  }
  function heading(item, column, place) {
    const sort = kept.sorts[item.name] || {};
    const now = sort.column === place;
    const pick = () => { kept.sorts[item.name] = { column: place, down: now ? !sort.down : false }; paint(`sort ${item.name} ${place}`); };
    return h("th", { class: column.right ? "right" : "", scope: "col", "aria-sort": now ? (sort.down ? "descending" : "ascending") : null },
      h("button", { type: "button", "data-focus": `sort ${item.name} ${place}`, onclick: pick, title: `${column.name}: ${column.type}` }, column.title + (now ? (sort.down ? " ↓" : " ↑") : "")));
  }
  function tiles(item) {
    const part = (tile, name, kind) => (tile[name] === undefined ? null : h("div", { class: kind }, drawn(tile[name])));
    const draw = (tile, place) => clicks(item, place, h("div", { class: "tile" }, part(tile, "title", "name"), part(tile, "subtitle", "small"), part(tile, "left", "big"), part(tile, "right", "big"), part(tile, "secondary", "small")));
    return h("div", { class: "tiles" }, item.tiles.map(draw));
  }

  // --- charts ------------------------------------------------------------------------------------------------------------

  const short = (value) => {
    const size = Math.abs(value);
    const [by, unit] = size >= 1e9 ? [1e9, "B"] : size >= 1e6 ? [1e6, "M"] : size >= 1e3 ? [1e3, "K"] : [1, ""];
    return `${Number((value / by).toPrecision(3))}${unit}`;
  };
  const full = (value) => (value === null || value === undefined ? "–" : Number(value.toPrecision(6)).toLocaleString("en-US"));
  function moment(ms, span) {
    const iso = new Date(ms).toISOString();
    return span > 2 * 864e5 ? iso.slice(5, 10) : span > 864e5 ? `${iso.slice(5, 10)} ${iso.slice(11, 16)}` : iso.slice(11, 16);
  }
  const whole = (ms) => new Date(ms).toISOString().slice(0, 16).replace("T", " ");
  function tone(styles, name, place) {
    const style = styles[name] || {};
    return style.color ? colour(style.color) : name === "Other" ? "var(--gray)" : `var(--s${place % 8})`;
  }
  const called = (styles, name) => (styles[name] && styles[name].label) || name;

  function chart(item) {
    const found = item.chart;
    if (found.shape === "pie") return [pie(item, found), table(found)];
    const brush = item.brush && !view.static ? brushed(item) : null;
    const holder = h("div", {});
    const legend = h("div", { class: "legend" }, found.series.map((one, place) => h("span", {}, h("i", { style: { background: tone(found.styles, one.name, place) } }), called(found.styles, one.name),
      h("b", {}, short(one.ys.reduce((sum, value) => sum + (value || 0), 0))))));
    let width = 0;
    const draw = () => {
      const now = Math.round(holder.clientWidth);
      if (now && now !== width) { width = now; holder.replaceChildren(plot(item, found, now)); }
    };
    new ResizeObserver(draw).observe(holder);
    return [holder, legend, brush, table(found)];
  }
  function plot(item, found, width) {
    const bars = found.shape === "bar";
    const negative = found.series.some((one) => one.ys.some((value) => value < 0));
    const sideways = bars && !negative && !found.time && Math.max(...found.xs.map((x) => String(x).length), 0) > 8;
    return sideways ? sidebars(item, found, width) : upright(item, found, width, bars);
  }
  const TICKS = [6e4, 3e5, 9e5, 18e5, 36e5, 72e5, 108e5, 216e5, 432e5, 864e5, 1728e5, 6048e5];
  // The marks of an axis from the least to the most of a chart; 0 is always among them.
  function steps(least, most) {
    const rough = (most - least) / 4, size = 10 ** Math.floor(Math.log10(rough || 1));
    const step = [1, 2, 5, 10].map((one) => one * size).find((one) => one >= rough) || 1;
    const low = Math.floor(least / step), high = Math.max(Math.ceil(most / step), low + 1);
    return Array.from({ length: high - low + 1 }, (_, place) => (low + place) * step);
  }
  function ends(found, stacked) {
    const columns = found.xs.map((_, place) => found.series.map((one) => one.ys[place] || 0));
    const all = stacked ? columns.flatMap((values) => [1, -1].map((sign) => values.reduce((sum, value) => sum + (value * sign > 0 ? value : 0), 0))) : columns.flat();
    return [all.reduce((a, b) => Math.min(a, b), 0), all.reduce((a, b) => Math.max(a, b), 1e-9)];
  }
  function upright(item, found, width, bars) {
    const height = item.size === 4 ? 150 : 230, left = 44, right = 12, top = 10, bottom = 26;
    const stacked = found.stacked && (bars || found.shape === "area");
    const marks = steps(...ends(found, stacked)), least = marks[0], most = marks[marks.length - 1];
    const span = found.time ? Math.max(1, found.xs[found.xs.length - 1] - found.xs[0]) : 1;
    const gap = found.time && found.xs.length > 1 ? Math.min(...found.xs.slice(1).map((x, place) => x - found.xs[place])) : span;
    const slot = found.time ? Math.max(2, ((width - left - right) * gap) / (span + gap)) : (width - left - right) / Math.max(1, found.xs.length);
    const x = (place) => (found.time ? left + slot / 2 + ((found.xs[place] - found.xs[0]) / span) * (width - left - right - slot) : left + slot * (place + 0.5));
    const y = (value) => top + ((most - value) / (most - least)) * (height - top - bottom);
    const svg = h("svg:svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": described(item, found) });
    for (const mark of marks) {
      svg.append(h("svg:line", { class: "rule", x1: left, x2: width - right, y1: y(mark), y2: y(mark) }), h("svg:text", { x: left - 6, y: y(mark) + 4, "text-anchor": "end" }, short(mark)));
    }
    const labels = Math.max(1, Math.floor((width - left) / 90)), every = Math.ceil(found.xs.length / labels);
    const label = (at, name) => svg.append(h("svg:text", { x: at, y: height - 8, "text-anchor": "middle" }, name));
    if (found.time) {
      const first = found.xs[0], last = found.xs[found.xs.length - 1];
      const tick = TICKS.find((one) => span / one <= labels) || Math.ceil(span / labels / 6048e5) * 6048e5;
      for (let at = Math.ceil(first / tick) * tick; at <= last; at += tick) label(left + slot / 2 + ((at - first) / span) * (width - left - right - slot), moment(at, span));
      if (found.xs.length === 1 || last - first < tick) label(x(0), whole(first).slice(5));
    } else found.xs.forEach((value, place) => { if (place % every === 0) label(x(place), String(value).slice(0, 14)); });
    const base = found.xs.map(() => 0), under = found.xs.map(() => 0); // what is stacked above 0, and below
    const inner = Math.max(1.5, Math.min(48, slot * 0.8)), narrow = stacked ? inner : inner / Math.max(1, found.series.length);
    found.series.forEach((one, number) => {
      const fill = tone(found.styles, one.name, number);
      if (bars) {
        one.ys.forEach((value, place) => {
          if (!value) return;
          const pile = value < 0 ? under : base, from = stacked ? pile[place] : 0;
          const at = stacked ? x(place) - inner / 2 : x(place) - inner / 2 + number * narrow;
          svg.append(h("svg:rect", { x: at, y: y(Math.max(from, from + value)), width: Math.max(1, narrow - 0.5), height: Math.max(0.5, Math.abs(y(from) - y(from + value))), rx: 1, style: { fill } }));
          pile[place] += value;
        });
        return;
      }
      const points = one.ys.map((value, place) => (value === null || value === undefined ? null : [x(place), y(stacked ? (base[place] += value) : value)])).filter(Boolean);
      if (found.shape === "area" && points.length > 1) {
        const path = points.map((point) => point.join(",")).join("L");
        svg.append(h("svg:path", { d: `M${path}L${points[points.length - 1][0]},${y(0)}L${points[0][0]},${y(0)}Z`, opacity: 0.25, style: { fill } }));
      }
      if (found.shape !== "scatter") svg.append(h("svg:polyline", { points: points.map((point) => point.join(",")).join(" "), fill: "none", "stroke-width": 2, "stroke-linejoin": "round", style: { stroke: fill } }));
      if (found.shape === "scatter" || points.length <= 40) points.forEach((point) => svg.append(h("svg:circle", { cx: point[0], cy: point[1], r: 2.6, style: { fill } })));
    });
    hover(svg, found, width, (place) => x(place));
    if (item.brush && found.time && !view.static) brush(svg, item, width, height, (at) => found.xs[0] + ((at - left - slot / 2) / (width - left - right - slot || 1)) * span);
    return svg;
  }
  // A range of a time chart sets a parameter: by dragging over it, or with the two boxes below.
  const ranged = (item, from, to) => choose({ [item.brush.name]: { durationMs: 0, startTime: new Date(from).toISOString(), endTime: new Date(to).toISOString() } });
  function brush(svg, item, width, height, time) {
    let from = null;
    const at = (event) => { const box = svg.getBoundingClientRect(); return ((event.clientX - box.left) / box.width) * width; };
    const mark = h("svg:rect", { class: "brush", y: 0, height, width: 0 });
    svg.append(mark);
    svg.classList.add("brushed");
    svg.addEventListener("pointerdown", (event) => { from = at(event); svg.setPointerCapture(event.pointerId); });
    svg.addEventListener("pointermove", (event) => {
      if (from === null) return;
      mark.setAttribute("x", Math.min(from, at(event)));
      mark.setAttribute("width", Math.abs(at(event) - from));
    });
    svg.addEventListener("pointerup", (event) => {
      const [low, high] = [from, at(event)].sort((a, b) => a - b);
      from = null;
      if (high - low > 4) ranged(item, time(low), time(high));
    });
  }
  function brushed(item) {
    const xs = item.chart.xs, box = (name, value) => h("input", { type: "datetime-local", "aria-label": `${item.title || "Chart"}, ${name} (UTC)`, value: new Date(value).toISOString().slice(0, 16) });
    const from = box("from", xs[0]), to = box("to", xs[xs.length - 1]);
    const apply = () => from.value && to.value && from.value < to.value && ranged(item, `${from.value}:00Z`, `${to.value}:00Z`);
    const clear = item.brush.set ? h("button", { type: "button", class: "plain", onclick: () => choose({ [item.brush.name]: null }) }, "All of it") : null;
    return h("details", { class: "data", open: item.brush.set }, h("summary", {}, "Time range"), h("div", { class: "range" }, from, to, h("button", { type: "button", class: "plain", onclick: apply }, "Apply"), clear));
  }
  function sidebars(item, found, width) {
    const longest = Math.max(...found.xs.map((x) => String(x).length));
    const left = Math.min(Math.round(width * 0.42), longest * 6.6 + 14), right = 46, line = Math.max(18, Math.min(30, 240 / found.xs.length));
    const height = found.xs.length * line + 6;
    const most = ends(found, true)[1];
    const svg = h("svg:svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": described(item, found) });
    found.xs.forEach((name, place) => {
      const y = place * line + 3;
      const room = Math.floor((left - 10) / 6.4);
      const shown = String(name).length > room ? `${String(name).slice(0, room - 1)}…` : name;
      svg.append(h("svg:text", { x: left - 8, y: y + line / 2 + 2, "text-anchor": "end" }, h("svg:title", {}, name), shown));
      let from = 0;
      found.series.forEach((one, number) => {
        const value = one.ys[place] || 0;
        if (!value) return;
        const at = left + (from / most) * (width - left - right), size = (value / most) * (width - left - right);
        svg.append(h("svg:rect", { x: at, y, width: Math.max(1, size - 1), height: line - 6, rx: 2, style: { fill: tone(found.styles, one.name, number) } }, h("svg:title", {}, `${called(found.styles, one.name)}: ${full(value)}`)));
        from += value;
      });
      svg.append(h("svg:text", { x: left + (from / most) * (width - left - right) + 6, y: y + line / 2 + 2 }, short(from)));
    });
    return svg;
  }
  function described(item, found) {
    return `${item.title || "Chart"}: ${found.series.map((one) => `${called(found.styles, one.name)} ${short(one.ys.reduce((sum, value) => sum + (value || 0), 0))}`).join(", ")}`;
  }
  let tip = null;
  function hover(svg, found, width, x) {
    const hide = () => { if (tip) tip.remove(); tip = null; };
    svg.addEventListener("mouseleave", hide);
    svg.addEventListener("mousemove", (event) => {
      const box = svg.getBoundingClientRect(), at = ((event.clientX - box.left) / box.width) * width;
      const places = found.xs.map((_, place) => place);
      const near = places.reduce((best, place) => (Math.abs(x(place) - at) < Math.abs(x(best) - at) ? place : best), 0);
      hide();
      const lines = found.series.filter((one) => one.ys[near] !== null && one.ys[near] !== undefined).map((one) => h("div", {}, `${called(found.styles, one.name)}: ${full(one.ys[near])}`));
      tip = h("div", { class: "tip", style: { left: `${Math.min(event.clientX + 14, innerWidth - 220)}px`, top: `${event.clientY + 14}px` } }, h("b", {}, found.time ? whole(found.xs[near]) : String(found.xs[near])), lines);
      document.body.append(tip);
    });
  }
  function pie(item, found) {
    const total = found.slices.reduce((sum, slice) => sum + slice.value, 0) || 1;
    const svg = h("svg:svg", { width: 180, height: 180, viewBox: "-100 -100 200 200", role: "img",
      "aria-label": `${item.title || "Chart"}: ${found.slices.map((slice) => `${called(found.styles, slice.name)} ${full(slice.value)}`).join(", ")}` });
    let angle = -Math.PI / 2;
    found.slices.forEach((slice, place) => {
      const turn = Math.min(slice.value / total, 0.99999) * 2 * Math.PI, end = angle + turn;
      const point = (radius, at) => `${radius * Math.cos(at)} ${radius * Math.sin(at)}`;
      const big = turn > Math.PI ? 1 : 0;
      const d = `M${point(96, angle)}A96 96 0 ${big} 1 ${point(96, end)}L${point(58, end)}A58 58 0 ${big} 0 ${point(58, angle)}Z`;
      svg.append(h("svg:path", { d, "stroke-width": 2, style: { fill: tone(found.styles, slice.name, place), stroke: "var(--card)" } }, h("svg:title", {}, `${called(found.styles, slice.name)}: ${full(slice.value)}`)));
      angle = end;
    });
    svg.append(h("svg:text", { "text-anchor": "middle", y: 10, "font-size": 28, "font-weight": 600, style: { fill: "var(--text)" } }, short(total)));
    const legend = h("div", { class: "legend" }, found.slices.map((slice, place) => h("span", {}, h("i", { style: { background: tone(found.styles, slice.name, place) } }), called(found.styles, slice.name),
      h("b", {}, full(slice.value)), `${Math.round((100 * slice.value) / total)}%`)));
    return h("div", { class: "pie" }, svg, legend);
  }
  function data(head, rows) {
    return h("details", { class: "data" }, h("summary", {}, "Data"), h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Data of the picture" }, h("table", { class: "grid" },
      h("thead", {}, h("tr", {}, head.map((name) => h("th", { scope: "col" }, h("span", { class: "head" }, name))))),
      h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell) => h("td", {}, cell))))))));
  }
  function table(found) {
    const head = found.slices ? ["", "Value"] : [found.time ? "Time (UTC)" : "", ...found.series.map((one) => called(found.styles, one.name))];
    const rows = found.slices ? found.slices.map((slice) => [called(found.styles, slice.name), full(slice.value)])
      : found.xs.map((x, place) => [found.time ? whole(x) : x, ...found.series.map((one) => full(one.ys[place]))]);
    return data(head, rows);
  }

  // --- the page ----------------------------------------------------------------------------------------------------------

  function theme(name) {
    document.documentElement.setAttribute("data-theme", name);
    document.getElementById("theme").textContent = name === "dark" ? "Light" : "Dark";
  }
  function paint(focus) {
    if (tip) { tip.remove(); tip = null; }
    const active = focus || (document.activeElement && document.activeElement.getAttribute("data-focus"));
    const scrolls = Object.fromEntries([...document.querySelectorAll("section[data-step] > .card > .scroll")].map((node) => [node.closest("section").dataset.step, node.scrollTop]));
    document.getElementById("title").textContent = view.title;
    document.title = `${view.title} – preview`;
    document.getElementById("now").textContent = view.static ? `recorded logs, opened at ${view.now} UTC` : `now is ${view.now} UTC`;
    document.body.classList.toggle("static", view.static === true);
    document.querySelector("main").replaceChildren(items(view.items));
    for (const node of document.querySelectorAll("section[data-step] > .card > .scroll")) node.scrollTop = scrolls[node.closest("section").dataset.step] || 0;
    if (active) { const node = [...document.querySelectorAll("[data-focus]")].find((one) => one.getAttribute("data-focus") === active); if (node) node.focus({ preventScroll: true }); }
    document.body.dataset.painted = String(Number(document.body.dataset.painted || 0) + 1);
  }
  async function refresh(focus) {
    const mine = ++asked, busy = document.getElementById("busy");
    busy.hidden = false;
    try {
      const answer = await fetch("view", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(chosen) });
      const found = await answer.json();
      if (mine !== asked) return;
      if (!answer.ok) throw new Error(found.error || answer.statusText);
      view = found;
      document.getElementById("fault").hidden = true;
      paint(focus);
    } catch (error) {
      const fault = document.getElementById("fault");
      fault.textContent = `The preview could not be updated: ${error.message}`;
      fault.hidden = false;
    } finally {
      if (mine === asked) busy.hidden = true;
    }
  }
  const wanted = new URLSearchParams(location.hash.slice(1)).get("theme");
  theme(wanted || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
  document.getElementById("theme").addEventListener("click", () => theme(document.documentElement.getAttribute("data-theme") === "dark" ? "light" : "dark"));
  document.addEventListener("click", (event) => {
    for (const node of document.querySelectorAll("details.multi[open]")) if (!node.contains(event.target)) node.open = false;
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") for (const node of document.querySelectorAll("details.multi[open]")) { node.open = false; node.querySelector("summary").focus(); } });
  paint();
})();
