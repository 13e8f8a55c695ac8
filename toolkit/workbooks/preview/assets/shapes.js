// Graphs, honeycombs and maps, as SVG. Where the nodes of a graph are is said by graphs.py.
draw.shapes = (() => {
  const { h, tint, ground } = draw;
  let drawings = 0;

  const region = (item, ...inner) => h("div", { class: "scroll picture", tabindex: "0", role: "region", "aria-label": item.title || item.name }, ...inner);
  // With things to click inside, a picture is a group of them for a screen reader.
  const role = (item) => (item.clicks ? "group" : "img");

  function graph(item, click) {
    const found = item.graph, arrow = `arrow-${++drawings}`;
    const svg = h("svg:svg", { class: "graph", width: found.width, height: found.height, viewBox: `0 0 ${found.width} ${found.height}`, role: role(item),
      "aria-label": `${item.title || "Graph"}: ${found.nodes.length} nodes, ${found.edges.length} edges` });
    svg.append(h("svg:defs", {}, h("svg:marker", { id: arrow, viewBox: "0 0 10 10", refX: 9, refY: 5, markerWidth: 9, markerHeight: 9, markerUnits: "userSpaceOnUse", orient: "auto" },
      h("svg:path", { class: "head", d: "M0 0 10 5 0 10Z" }))));
    for (const edge of found.edges) {
      svg.append(h("svg:path", { class: "edge", d: edge.d, "stroke-width": edge.width, "marker-end": `url(#${arrow})` }, h("svg:title", {}, edge.hint)));
    }
    for (const edge of found.edges) if (edge.label) svg.append(h("svg:text", { class: "edge-label", x: edge.x, y: edge.y, "text-anchor": "middle" }, edge.label));
    for (const node of found.nodes) {
      const box = { width: node.width, height: node.height, rx: 8 };
      svg.append(click(node.row, h("svg:g", { class: "node", transform: `translate(${node.x} ${node.y})` }, h("svg:title", {}, node.id),
        h("svg:rect", { ...box, class: "base" }), h("svg:rect", { ...box, style: { fill: ground(node.tone), stroke: tint(node.tone) } }),
        node.lines.map((line) => h("svg:text", { class: line.part, x: node.width / 2, y: line.y, "text-anchor": "middle" }, line.t)))));
    }
    return region(item, svg);
  }

  // --- honeycombs --------------------------------------------------------------------------------------------------------

  function hexagons(item, click) {
    const holder = h("div", { class: "hives" });
    let width = 0;
    const paint = () => {
      const now = Math.round(holder.clientWidth);
      if (now && now !== width) { width = now; holder.replaceChildren(...item.hexagons.groups.map((group) => hive(item, group, now, click))); }
    };
    new ResizeObserver(paint).observe(holder);
    return holder;
  }
  function hive(item, group, width, click) {
    const { size, margin, groups } = item.hexagons, count = group.cells.length;
    const radius = size / Math.sqrt(3), across = size + margin, down = radius * 1.5 + margin * 0.87;
    const most = Math.max(1, Math.floor((width - across / 2) / across));
    const columns = groups.length > 1 ? Math.min(most, Math.max(2, Math.ceil(Math.sqrt(count * 1.5)))) : most;
    const rows = Math.ceil(count / columns), wide = Math.min(columns, count) * across + (rows > 1 ? across / 2 : 0), high = (rows - 1) * down + radius * 2 + 4;
    const svg = h("svg:svg", { class: "hive", width: wide, height: high, viewBox: `0 0 ${wide} ${high}`, role: role(item),
      "aria-label": `${group.name || item.title || "Honeycomb"}: ${count} hexagon${count === 1 ? "" : "s"}` });
    const corners = [0, 1, 2, 3, 4, 5].map((one) => (Math.PI / 3) * one - Math.PI / 2).map((angle) => `${(radius * Math.cos(angle)).toFixed(1)},${(radius * Math.sin(angle)).toFixed(1)}`).join(" ");
    group.cells.forEach((cell, number) => {
      const row = Math.floor(number / columns), x = (number % columns) * across + across / 2 + (row % 2 ? across / 2 : 0), y = row * down + radius + 2;
      const lines = ["top", "center", "bottom"].filter((part) => cell[part]).map((part) => [part, cell[part]]);
      const hint = [cell.id, ...lines.map(([, text]) => text).filter((text) => text !== cell.id)].join("\n");
      svg.append(click(cell.row, h("svg:g", { class: "node", transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` }, h("svg:title", {}, hint),
        h("svg:polygon", { points: corners, class: "base" }), h("svg:polygon", { points: corners, style: { fill: ground(cell.tone), stroke: tint(cell.tone) } }),
        lines.map(([part, text], place) => h("svg:text", { class: part, "text-anchor": "middle", y: (place - (lines.length - 1) / 2) * 16 + 4.5 }, fitted(text, size - 18, part === "center" ? 8 : 6.6))))));
    });
    return h("figure", {}, group.name ? h("figcaption", {}, group.name, h("span", {}, ` ${count}`)) : null, svg);
  }
  function fitted(text, room, per) {
    const most = Math.max(1, Math.floor(room / per));
    return text.length > most ? `${text.slice(0, most - 1)}…` : text;
  }

  // --- maps --------------------------------------------------------------------------------------------------------------

  function map(item, click) {
    const found = item.points, width = 960, height = 460, edge = { left: 44, right: 10, top: 10, bottom: 24 };
    const [west, east] = extent(found.map((one) => one.x), 180, 40), [south, north] = extent(found.map((one) => one.y), 90, 20);
    const step = [2, 5, 10, 15, 30, 45].find((one) => (east - west) / one <= 10) || 45;
    const x = (degrees) => edge.left + ((degrees - west) / (east - west)) * (width - edge.left - edge.right);
    const y = (degrees) => edge.top + ((north - degrees) / (north - south)) * (height - edge.top - edge.bottom);
    const svg = h("svg:svg", { class: "map", viewBox: `0 0 ${width} ${height}`, role: role(item), "aria-label": `${item.title || "Map"}: ${found.length} points` });
    for (let at = Math.ceil(west / step) * step; at <= east; at += step) {
      svg.append(h("svg:line", { class: "rule", x1: x(at), x2: x(at), y1: edge.top, y2: height - edge.bottom }), h("svg:text", { x: x(at), y: height - 8, "text-anchor": "middle" }, degrees(at, "E", "W")));
    }
    for (let at = Math.ceil(south / step) * step; at <= north; at += step) {
      svg.append(h("svg:line", { class: "rule", x1: edge.left, x2: width - edge.right, y1: y(at), y2: y(at) }), h("svg:text", { x: edge.left - 6, y: y(at) + 4, "text-anchor": "end" }, degrees(at, "N", "S")));
    }
    found.forEach((point, number) => {
      const radius = 4 + Math.sqrt(point.share) * 14, colour = Object.keys(point.tone).length ? tint(point.tone) : "var(--accent)";
      const said = [point.label, point.value].filter(Boolean).join(": ") || `${point.y}, ${point.x}`;
      svg.append(click(number, h("svg:g", { class: "point" }, h("svg:title", {}, said), h("svg:circle", { cx: x(point.x), cy: y(point.y), r: radius, "fill-opacity": 0.45, style: { fill: colour, stroke: colour } }))));
    });
    const named = [];
    for (const point of found.slice(0, 30)) {
      const here = { x: x(point.x), y: y(point.y) - 8 - Math.sqrt(point.share) * 14, half: point.label.length * 3.6 };
      if (!point.label || named.some((one) => Math.abs(one.y - here.y) < 15 && Math.abs(one.x - here.x) < one.half + here.half)) continue;
      named.push(here);
      svg.append(h("svg:text", { class: "place", x: here.x, y: here.y, "text-anchor": "middle" }, point.label));
    }
    return svg;
  }
  const degrees = (at, plus, minus) => `${Math.abs(at)}°${at > 0 ? plus : at < 0 ? minus : ""}`;
  function extent(values, most, least) {
    const low = Math.min(...values), high = Math.max(...values), middle = (low + high) / 2, half = Math.max((high - low) * 0.6, least / 2);
    return [Math.max(-most, middle - half), Math.min(most, middle + half)];
  }

  return { graph, hexagons, map };
})();
