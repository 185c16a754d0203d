// Draws the charts of a page: Bokeh's description and the columns stand in the page as JSON.
(() => {
  "use strict";

  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const numeric = new Set(["x", "y", "error", "low", "high", "left", "right", "bottom", "top", "count", "shade", "alpha", "x0", "y0", "x1", "y1"]);

  const superscript = (n) => [...`${n}`].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c])).join("");

  // A value with as many digits as its error supports, as on the server.
  function rounded(value, error) {
    if (value === null) return "–";
    const known = error !== null && error > 1e-15 * Math.abs(value);
    if (!known && Number.isInteger(value) && Math.abs(value) < 1e7) return `${value}`.replace("-", "−");
    const size = Math.max(Math.abs(value), known ? error : 0);
    const power = size && (size < 1e-4 || size >= 1e7) ? Math.floor(Math.log10(size)) : 0;
    const decimals = (v, digits) => digits - 1 - Number(v.toExponential(digits - 1).split("e")[1]);
    const fixed = (v, d) => (d < 0 ? Math.round(v / 10 ** -d) * 10 ** -d : v).toFixed(Math.min(Math.max(d, 0), 100)).replace("-", "−");
    const mantissa = value / 10 ** power, sigma = known ? error / 10 ** power : 0;
    const places = known ? decimals(sigma, 2) : decimals(mantissa, 4);
    const text = known ? `${fixed(mantissa, places)} ± ${fixed(sigma, places)}` : fixed(mantissa, places);
    return power ? `${known ? `(${text})` : text} × 10${superscript(power)}` : text;
  }

  // In full what the server said once or in few words.
  function unpacked(columns, source, name) {
    const held = columns[source][name];
    if (typeof held === "string") return unpacked(columns, held, name);
    return Array.isArray(held) ? held : held.at.map((place) => held.words[place]);
  }

  function complete(columns, source) {
    const names = Object.keys(columns[source]);
    const full = Object.fromEntries(names.map((name) => [name, unpacked(columns, source, name)]));
    if ("error" in full) {
      const { y, error } = full;
      full.low = y.map((v, k) => (v === null || error[k] === null ? null : v - error[k]));
      full.high = y.map((v, k) => (v === null || error[k] === null ? null : v + error[k]));
      full.text = y.map((v, k) => rounded(v, error[k]));
    }
    return full;
  }

  // Bokeh draws null at 0: what is missing has to be NaN.
  const column = (name, values) => (numeric.has(name) ? values.map((v) => (v === null ? NaN : v)) : values);

  // A point lies over the line of what changed with its run: it goes first.
  const lines = new Set(["packages", "shifts", "notes"]);
  let asked = null;
  function open(name, url) {
    if (asked === null) setTimeout(() => { window.location.href = asked.url; asked = null; });
    if (asked === null || lines.has(asked.name)) asked = { name, url };
  }

  function fill(models, chart) {
    for (const model of models) {
      if (model.type === "ColumnDataSource" && chart.columns[model.name]) {
        const columns = complete(chart.columns, model.name);
        model.data = Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, column(name, values)]));
        const place = columns.url ? (k) => columns.url[k] : (k) => chart.row + encodeURIComponent(columns.id[k]);
        if (columns.url || (columns.id && chart.row)) {
          model.selected.properties.indices.change.connect(() => {
            const [index] = model.selected.indices;
            if (index !== undefined && place(index)) open(model.name, place(index));
          });
        }
      }
      if (model.name === "values") model.axis_label = chart.label;
      if (model.name === "across") model.axis_label = chart.across;
      if (model.type === "ColorBar") model.title = chart.label;
      if (model.type === "Figure" && model.match_aspect) {
        if (chart.aspect) model.aspect_scale = chart.aspect;
        else model.match_aspect = false;
      }
      if (model.name === "rows") model.major_label_overrides = new Map(Object.entries(chart.ticks).map(([k, v]) => [Number(k), v]));
    }
  }

  function paint(models) {
    const ink = style("--ink"), quiet = style("--quiet"), grid = style("--chart-grid"), font = style("--sans");
    const colour = (name) => {
      if (name.startsWith("band:")) return style(`--band-${name.slice(5)}`) || style("--band-all");
      return name.startsWith("tone:") ? style(`--tone-${name.slice(5)}`) || quiet : quiet;
    };
    for (const model of models) {
      const set = (values) => {
        const known = Object.entries(values).filter(([name]) => name in model.properties);
        model.setv(Object.fromEntries(known));
      };
      if (model.type === "Figure") {
        set({ background_fill_color: null, border_fill_color: null, outline_line_color: null });
      } else if (model.type.endsWith("Axis")) {
        set({
          axis_label_text_color: quiet, axis_label_text_font: font, axis_label_text_font_style: "normal",
          axis_label_text_font_size: "13px", major_label_text_color: quiet, major_label_text_font: font,
          major_label_text_font_size: "12px", axis_line_color: grid, major_tick_line_color: grid, minor_tick_line_color: null,
        });
      } else if (model.type === "LabelSet") {
        set({
          background_fill_color: { value: style("--panel") }, background_fill_alpha: { value: 0.8 },
          text_color: { value: quiet }, text_font: { value: font }, text_font_size: { value: "11.5px" },
        });
      } else if (model.type === "ColorBar") {
        set({
          background_fill_color: null, title_text_color: quiet, title_text_font: font, title_text_font_style: "normal",
          major_label_text_color: quiet, major_label_text_font: font, bar_line_color: null, major_tick_line_color: grid,
        });
      } else if (model.type === "Grid") {
        set({ grid_line_color: grid });
      } else if (model.type === "Legend") {
        set({
          background_fill_color: null, border_line_color: null, label_text_color: ink, label_text_font: font,
          label_text_font_size: "13px", inactive_fill_color: style("--panel"), inactive_fill_alpha: 0.7,
        });
      } else if (model.type === "GlyphRenderer" && model.name) {
        const name = model.name;
        if (name === "frame") continue;
        if (name === "map") { // its colours are values
          for (const glyph of [model.glyph, model.muted_glyph]) if (glyph?.line_color?.value) glyph.line_color = { value: style("--panel") };
          continue;
        }
        const value = { value: name === "design" ? ink : colour(name) };
        for (const glyph of [model.glyph, model.muted_glyph].filter((g) => g && g.properties)) {
          if ("line_color" in glyph.properties) glyph.line_color = value;
          if ("fill_color" in glyph.properties) glyph.fill_color = value;
        }
      }
    }
  }

  function narrow(models) {
    for (const model of models) {
      if (model.type === "DatetimeTicker") model.desired_num_ticks = 3;
      if (model.name === "side") model.width = 90;
      if (model.type === "Figure" && model.match_aspect) model.height = 380;
      if (model.type === "Legend") {
        model.label_text_font_size = "11px";
        const letters = model.items.reduce((sum, item) => sum + (item.label.value ?? "").length + 6, 0);
        if (letters > 44) model.setv({ orientation: "vertical", spacing: 0, padding: 2 });
      }
    }
  }

  // The names of thresholds that lie close together, one above the other.
  function part(models) {
    const figure = models.find((m) => m.type === "Figure" && m.name === "main");
    const sources = models.filter((m) => m.type === "ColumnDataSource" && m.name.startsWith("level:"));
    const named = sources.flatMap((source) => source.data.y.map((y, k) => ({ y, source, k }))).sort((a, b) => a.y - b.y);
    if (!figure || named.length < 2) return;
    const range = figure.y_range, line = 16, above = 2;
    const place = () => {
      const scale = (figure.inner_height ?? figure.height) / Math.abs(range.end - range.start);
      if (!Number.isFinite(scale)) return;
      const offsets = new Map(sources.map((source) => [source, [...source.data.offset]]));
      let free = -Infinity;
      for (const { y, source, k } of named) {
        const at = Math.max(y * scale + above, free);
        offsets.get(source)[k] = at - y * scale;
        free = at + line;
      }
      for (const [source, offset] of offsets) {
        if (offset.some((value, k) => Math.abs(value - source.data.offset[k]) > 0.5)) source.data = { ...source.data, offset };
      }
    };
    range.change.connect(place);
    place();
  }

  async function draw(node) {
    const chart = JSON.parse(document.getElementById(node.dataset.source).textContent);
    // Filled and painted before it is drawn, so that it is drawn once.
    const drawn = Bokeh.require("document").Document.from_json(chart.item.doc);
    const models = drawn.roots().flatMap((root) => [root, ...root.references()]);
    fill(models, chart);
    paint(models);
    if (node.clientWidth < 600) narrow(models);
    await Bokeh.embed.add_document_standalone(drawn, node);
    part(models);
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => paint(models));
  }

  for (const node of document.querySelectorAll(".chart")) draw(node);
})();
