"use strict";
// What everything is drawn with: DOM calls only. Every text of the workbook and of the logs is set as text, never as markup.
const draw = (() => {
  const SVG = "http://www.w3.org/2000/svg";

  function h(tag, props, ...children) {
    const node = tag.startsWith("svg:") ? document.createElementNS(SVG, tag.slice(4)) : document.createElement(tag);
    for (const [name, value] of Object.entries(props || {})) {
      if (value === undefined || value === null || value === false) continue;
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (name === "style") for (const [key, text] of Object.entries(value)) node.style.setProperty(key, text);
      else if (name === "value" || name === "checked" || name === "selected") node[name] = value;
      else node.setAttribute(name, value === true ? "" : value);
    }
    for (const child of children.flat(9)) if (child !== null && child !== undefined && child !== "") node.append(child);
    return node;
  }

  // --- colours and icons -------------------------------------------------------------------------------------------------

  const PLAIN = ["blue", "green", "turquoise", "purple", "orange", "red", "yellow", "gray", "pink", "brown", "lightBlue"];
  const SAME = { redbright: "red", reddark: "red", magenta: "pink", amethyst: "purple", grayblue: "gray", coldhot: "orange", hotcold: "blue", categorical: "blue" };
  function colour(name) {
    const key = String(name || "").toLowerCase();
    const found = SAME[key] || PLAIN.find((one) => one.toLowerCase() === key) || PLAIN.find((one) => key.startsWith(one.toLowerCase()));
    return `var(--${found || "blue"})`;
  }
  // The palettes that lead from one colour to another; all others from nothing to one colour.
  function between(palette, share) {
    const key = String(palette).toLowerCase();
    if (key !== "greenred" && key !== "redgreen") return null;
    return `color-mix(in srgb, var(--red) ${Math.round((key === "greenred" ? share : 1 - share) * 100)}%, var(--green))`;
  }
  function shade(palette, share) {
    const mixed = between(palette, share);
    if (mixed) return `color-mix(in srgb, ${mixed} 34%, transparent)`;
    return `color-mix(in srgb, ${colour(palette)} ${Math.round(4 + share * 36)}%, transparent)`;
  }
  const ICONS = {
    critical: ["red", "!", "o"], error: ["red", "×", "o"], failed: ["red", "×", "o"], unavailable: ["red", "×", "o"], fired: ["red", "!", "o"], alert: ["red", "!", "o"],
    cancelled: ["gray", "–", "o"], canceled: ["gray", "–", "o"], stopped: ["gray", "■", "o"], disabled: ["gray", "–", "o"], warning: ["orange", "!", "t"], degraded: ["orange", "!", "t"],
    success: ["green", "✓", "o"], resolved: ["green", "✓", "o"], available: ["green", "✓", "o"], check: ["green", "✓", "o"], info: ["blue", "i", "o"], important: ["orange", "!", "o"],
    question: ["purple", "?", "o"], unknown: ["gray", "?", "o"], pending: ["turquoise", "…", "o"], uninitialized: ["gray", "·", "o"], up: ["gray", "↑", "n"], down: ["gray", "↓", "n"],
    left: ["gray", "←", "n"], right: ["gray", "→", "n"], trendup: ["green", "↗", "n"], trenddown: ["red", "↘", "n"], sev0: ["red", "0", "s"], sev1: ["red", "1", "s"], sev2: ["orange", "2", "s"],
    sev3: ["yellow", "3", "s"], sev4: ["gray", "4", "s"], 1: ["green", "1", "s"], 2: ["yellow", "2", "s"], 3: ["orange", "3", "s"], 4: ["red", "4", "s"],
  };
  function icon(name) {
    const key = String(name).toLowerCase();
    if (key === "blank" || key === "" || key === "none") return null;
    const [tone, sign, shape] = ICONS[key] || ["gray", "•", "n"];
    const fill = `var(--${tone})`;
    const paint = { style: { fill: shape === "n" ? "none" : fill } };
    const forms = {
      o: () => h("svg:circle", { cx: 8, cy: 8, r: 7.5, ...paint }),
      t: () => h("svg:path", { d: "M8 0.8 15.6 15H0.4Z", ...paint }),
      s: () => h("svg:rect", { x: 0.5, y: 0.5, width: 15, height: 15, rx: 4, ...paint }),
      n: () => null,
    };
    const sign_ = h("svg:text", { x: 8, y: shape === "t" ? 13 : 12, "text-anchor": "middle", "font-size": 11, "font-weight": 700,
      style: { fill: shape === "n" ? fill : "var(--card)" } }, sign);
    return h("svg:svg", { width: 16, height: 16, viewBox: "0 0 16 16", "aria-hidden": "true" }, forms[shape](), sign_);
  }

  // --- cells -------------------------------------------------------------------------------------------------------------

  const text = (cell) => (cell && typeof cell === "object" ? cell.t : cell) ?? "";
  const key = (cell) => (cell && typeof cell === "object" && "k" in cell ? cell.k : String(text(cell)));
  function drawn(cell) {
    if (!cell || typeof cell !== "object") return document.createTextNode(cell ?? "");
    if (cell.url) return h("a", { href: cell.url, target: "_blank", rel: "noopener noreferrer" }, drawn({ ...cell, url: "" }));
    if ("bar" in cell) {
      const fill = h("b", { style: { width: `${cell.bar * 100}%`, background: colour(cell.palette) } });
      return h("span", { class: "bar" }, h("span", {}, cell.t), h("i", {}, fill));
    }
    if ("spark" in cell) return spark(cell);
    if ("parts" in cell) {
      const parts = cell.parts.map((part) => h("b", { title: part.t, style: { width: `${part.share * 100}%`, background: colour(part.color) } }));
      return h("span", { class: "composite" }, h("i", { role: "img", "aria-label": cell.parts.map((part) => part.t).join(", ") }, parts), h("span", {}, cell.t));
    }
    if ("icon" in cell) return h("span", { class: "mark" }, icon(cell.icon), h("span", {}, cell.t || cell.icon));
    if ("color" in cell && cell.t !== "") {
      const tone = colour(cell.color);
      return h("span", { class: "chip", style: { "border-color": `color-mix(in srgb, ${tone} 60%, transparent)`, background: `color-mix(in srgb, ${tone} 14%, transparent)` } }, cell.t);
    }
    return document.createTextNode(cell.t);
  }
  function spark(cell) {
    const most = Math.max(...cell.spark, 1e-9);
    const width = 120, height = 22, step = width / Math.max(1, cell.spark.length);
    const label = `${cell.spark.length} points, at most ${most < 1e-6 ? 0 : most}`;
    const svg = h("svg:svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
    if (cell.line) {
      const points = cell.spark.map((value, place) => `${(place + 0.5) * step},${height - 1 - (value / most) * (height - 3)}`).join(" ");
      svg.append(h("svg:polyline", { points, fill: "none", "stroke-width": 1.5, style: { stroke: colour(cell.palette) } }));
    } else {
      cell.spark.forEach((value, place) => {
        const size = Math.max(value > 0 ? 2 : 0.75, (value / most) * (height - 2));
        svg.append(h("svg:rect", { x: place * step, y: height - size, width: Math.max(1, step - 1), height: size, style: { fill: value > 0 ? colour(cell.palette) : "var(--line)" } }));
      });
    }
    return svg;
  }

  // A colour of colours.py: of a series, of the palette, of the data itself, or heat.
  function tint(tone) {
    if (!tone) return "var(--gray)";
    if ("series" in tone) return `var(--s${tone.series})`;
    if (tone.color) return colour(tone.color);
    return tone.hex || (tone.palette ? between(tone.palette, tone.heat) || colour(tone.palette) : "var(--gray)");
  }
  function ground(tone) {
    if (tone && "heat" in tone) return shade(tone.palette, tone.heat);
    return tone && Object.keys(tone).length ? `color-mix(in srgb, ${tint(tone)} 18%, transparent)` : "var(--soft)";
  }

  return { h, colour, shade, icon, text, key, drawn, tint, ground };
})();
