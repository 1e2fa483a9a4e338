"use strict";
// Draws a course of a run (relkitDraw) and lets three sliders choose among the points that were played (relkitExplorer).
// Colours are those of the printed figures: blue answered, rust and its shades failed, rust open, grey turned away, amber half open.
var relkitColours = {answered: "#0072b2", failed: ["#b34700", "#6b2a00", "#dd8452"], rejected: "#999999", open: "#b34700", half: "#e69f00", closed: "#dcebf5", trouble: "#f6d9c4"};

function relkitUnpack(pairs) {
  var out = [];
  for (var i = 0; i < pairs.length; i += 2) for (var k = 0; k < pairs[i + 1]; k++) out.push(pairs[i]);
  return out;
}

function relkitSum(pairs, reference) {
  return relkitUnpack(pairs).map(function (value, place) { return value + reference[place]; });
}

function relkitTime(seconds) {
  if (seconds === null) return "none";
  if (seconds === 0) return "0 s";
  if (Math.abs(seconds) < 1) return Math.round(seconds * 1000) + " ms";
  if (Math.abs(seconds) < 120) return Number(seconds.toPrecision(3)) + " s";
  return Math.abs(seconds) < 7200 ? Number((seconds / 60).toPrecision(3)) + " min" : Number((seconds / 3600).toPrecision(3)) + " h";
}

function relkitEscape(text) {
  return String(text).replace(/[&<>"]/g, function (c) { return {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;"}[c]; });
}

// course: {bin_s, arrivals, answered, failed, rejected, open} and, where they are known, ribbons [[name, open]] in place of open,
// kinds [[name, counts]] in place of failed, attempts and pages [[start, end]]; ghost: the same or null; trouble: [[start, end]] in seconds.
// open: tenths of each step, and 20 more where the breaker was half open.
function relkitDraw(root, course, ghost, trouble, label, ghostLabel) {
  var whole = Math.max(320, Math.min(900, root.clientWidth || 900)), isNarrow = whole < 600, left = isNarrow ? 40 : 150, width = whole - left - 20;
  var n = course.answered.length, step = width / n, most = 1, parts = [], i;
  var ribbons = (course.ribbons || [[label, course.open]]).concat(ghost ? [[ghostLabel, ghost.open]] : []), rowHeight = isNarrow ? 36 : 24;
  var stacks = [["answered", course.answered, relkitColours.answered]];
  (course.kinds || [["failed", course.failed]]).forEach(function (one, place) { stacks.push([one[0], one[1], relkitColours.failed[Math.min(place, 2)]]); });
  stacks.push(["turned away", course.rejected, relkitColours.rejected]);
  for (i = 0; i < n; i++) most = Math.max(most, stacks.reduce(function (sum, one) { return sum + one[1][i]; }, 0), course.arrivals[i], ghost ? ghost.answered[i] : 0);
  function word(x, y, text, anchor) { parts.push("<text x='" + x + "' y='" + y + "' text-anchor='" + (anchor || "start") + "'>" + relkitEscape(text) + "</text>"); }

  var keyAt = 0, keyLine = 0, key = [];
  function note(mark, text) {
    var need = 18 + 6.9 * text.length;
    if (keyAt && keyAt + need > whole - (isNarrow ? 8 : left)) { keyAt = 0; keyLine++; }
    key.push([keyAt, keyLine, mark, text]);
    keyAt += need + 8;
  }
  stacks.forEach(function (one) { if (one[0] !== "failed" || one[1].some(Number)) note("<rect width='9' height='9' fill='" + one[2] + "'/>", one[0]); });
  note("<path d='M0 5h10' stroke='#222'/>", "all that came");
  if (ghost) note("<path d='M0 5h10' stroke='#5f5f5f' stroke-width='1.4' stroke-dasharray='4 2'/>", "answered by " + ghostLabel);
  if (course.pages && course.pages.length) note("<path d='M1 0l8 4.5l-8 4.5z' fill='" + relkitColours.open + "'/>", "a page");
  var keyTop = 10 + ribbons.length * rowHeight, top = keyTop + 16 * (keyLine + 1) + 14, height = isNarrow ? 170 : 210, bottom = top + height;
  var loadTop = bottom + 14, loadHeight = course.attempts ? 44 : 0, end = course.attempts ? loadTop + loadHeight : bottom;
  function x(i) { return (left + i * step).toFixed(1); }
  function y(v) { return (bottom - v / most * height).toFixed(1); }
  function at(seconds) { return left + seconds / course.bin_s * step; }

  trouble.forEach(function (one) {
    [[6, ribbons.length * rowHeight], [top, height], [loadTop, loadHeight]].forEach(function (band) {
      parts.push("<rect x='" + at(one[0]).toFixed(1) + "' y='" + band[0] + "' width='" + (at(one[1]) - at(one[0])).toFixed(1) + "' height='" + band[1] + "' fill='" + relkitColours.trouble + "'/>");
    });
  });
  ribbons.forEach(function (one, place) {
    var above = 8 + place * rowHeight + (isNarrow ? 14 : 0), path = "", dots = "", open = one[1];
    if (isNarrow) word(left, above - 3, one[0]); else word(left - 8, above + 13, one[0].length > 20 ? one[0].slice(0, 19) + "…" : one[0], "end");
    parts.push("<rect x='" + left + "' y='" + above + "' width='" + width + "' height='17' fill='" + relkitColours.closed + "'/>");
    for (i = 0; i < n; i++) {
      var half = open[i] >= 20, tenths = half ? open[i] - 20 : open[i], h = 1.7 * tenths;
      if (tenths) path += "M" + x(i) + " " + (above + 17 - h).toFixed(1) + "h" + step.toFixed(2) + "v" + h.toFixed(1) + "h" + (-step).toFixed(2) + "z";
      if (half) dots += "<circle cx='" + (left + (i + 0.5) * step).toFixed(1) + "' cy='" + (above + 8.5) + "' r='2.4' fill='" + relkitColours.half + "'/>";
    }
    parts.push("<path d='" + path + "' fill='" + relkitColours.open + "'/>" + dots);
  });
  key.forEach(function (one) {
    parts.push("<g transform='translate(" + (left * (isNarrow ? 0 : 1) + one[0]).toFixed(1) + " " + (keyTop + 16 * one[1]) + ")'>" + one[2] + "</g>");
    word((left * (isNarrow ? 0 : 1) + one[0] + 14).toFixed(1), keyTop + 16 * one[1] + 9, one[3]);
  });
  var base = new Array(n).fill(0);
  stacks.forEach(function (one) {
    var path = "";
    for (i = 0; i < n; i++) {
      if (one[1][i] > 0) path += "M" + x(i) + " " + y(base[i] + one[1][i]) + "h" + step.toFixed(2) + "V" + y(base[i]) + "h" + (-step).toFixed(2) + "z";
      base[i] += one[1][i];
    }
    parts.push("<path d='" + path + "' fill='" + one[2] + "'/>");
  });
  function line(values, style) {
    var path = "";
    for (i = 0; i < n; i++) path += (i ? "L" : "M") + (left + (i + 0.5) * step).toFixed(1) + " " + y(values[i]);
    parts.push("<path d='" + path + "' fill='none' " + style + "/>");
  }
  line(course.arrivals, "stroke='#222' stroke-width='0.9'");
  if (ghost) { line(ghost.answered, "stroke='#fff' stroke-width='2.4'"); line(ghost.answered, "stroke='#5f5f5f' stroke-width='1.4' stroke-dasharray='4 2'"); }
  (course.pages || []).forEach(function (one) {
    var a = at(one[0]), b = Math.min(at(one[1]), left + width);
    parts.push("<path d='M" + a.toFixed(1) + " " + (top - 10) + "l8 4.5l-8 4.5z' fill='" + relkitColours.open + "'/><path d='M" + a.toFixed(1) + " " + (top - 5.5) + "H" + b.toFixed(1) + "' stroke='" + relkitColours.open + "'/>");
  });
  [0, 0.5, 1].forEach(function (share) { word(left - 6, Number(y(most * share)) + 4, Math.round(most * share), "end"); });
  if (!isNarrow) { word(left - 30, top + height / 2 - 6, "requests", "end"); word(left - 30, top + height / 2 + 9, "in " + relkitTime(course.bin_s), "end"); }
  if (course.attempts) {
    var load = "", tries = course.attempts.map(function (v, i) { return course.arrivals[i] ? v / course.arrivals[i] : 0; }), peak = Math.max.apply(null, tries.concat([1]));
    for (i = 0; i < n; i++) if (tries[i] > 0) load += "M" + x(i) + " " + end + "v" + (-tries[i] / peak * loadHeight).toFixed(1) + "h" + step.toFixed(2) + "V" + end + "z";
    parts.push("<path d='" + load + "' fill='#767676'/>");
    word(left - 6, loadTop + 8, Number(peak.toPrecision(2)), "end");
    if (!isNarrow) { word(left - 30, loadTop + 20, "attempts", "end"); word(left - 30, loadTop + 35, "a request", "end"); }
  }
  var ticks = isNarrow ? 2 : 4;
  for (i = 0; i <= ticks; i++) word((left + width * i / ticks).toFixed(1), end + 18, relkitTime(course.bin_s * n * i / ticks), i === ticks ? "end" : "middle");
  root.innerHTML = "<svg viewBox='0 0 " + whole + " " + (end + 26) + "' style='font:12px system-ui,sans-serif' role='img' aria-label='Course of the run: states of the breaker and requests over time'>" + parts.join("") + "</svg>";
}

// The five figures of a point, in the order of data.summary: how to write one, with its sign for a difference, and which way is better.
var relkitFigures = [
  {name: "success", unit: " %", more: true, write: function (v) { return (100 * v).toFixed(2); }, apart: " points"},
  {name: "wasted calls per 1,000", unit: "", more: false, write: function (v) { return v.toFixed(1); }, apart: ""},
  {name: "detection", unit: "", more: false, write: relkitTime, apart: ""},
  {name: "p95", unit: "", more: false, write: relkitTime, apart: ""},
  {name: "recovery", unit: "", more: false, write: relkitTime, apart: ""}
];

function relkitCell(figure, told) {
  if (told === null) return "none";
  return figure.write(told[0]) + figure.unit + " <span>" + figure.write(told[1]) + " to " + figure.write(told[2]) + "</span>";
}

// The difference of two points on the same seeds, with its t interval; null where one of both has no such figure.
function relkitApart(here, there, t) {
  if (here === null || there === null) return null;
  var apart = here.map(function (value, place) { return value - there[place]; }), n = apart.length;
  var mean = apart.reduce(function (sum, value) { return sum + value; }, 0) / n;
  var half = t * Math.sqrt(apart.reduce(function (sum, value) { return sum + (value - mean) * (value - mean); }, 0) / (n - 1) / n);
  return {mean: mean, low: mean - half, high: mean + half, isSame: !apart.some(Number), isNoise: mean - half <= 0 && mean + half >= 0};
}

function relkitSigned(figure, value) {
  return (value > 0 ? "+" : value < 0 ? "−" : "") + figure.write(Math.abs(value));
}

function relkitVerdict(apart, ghostName, runs) {
  var better = [], worse = [], noise = [];
  apart.forEach(function (one, place) {
    if (one === null) return;
    var figure = relkitFigures[place];
    if (one.isNoise) noise.push(figure.name);
    else (one.mean > 0 === figure.more ? better : worse).push(figure.name + " " + relkitSigned(figure, one.mean) + figure.apart);
  });
  var told = [];
  if (better.length) told.push("better in " + better.join(", "));
  if (worse.length) told.push("worse in " + worse.join(", "));
  if (apart.every(function (one) { return one === null || one.isSame; })) return "In every run the same as " + ghostName + ".";
  if (!told.length) return "No figure differs from " + ghostName + " by more than the noise of " + runs + " runs: neither is the better one here.";
  return "Against " + ghostName + " " + told.join("; ") + (noise.length ? "; inside the noise of " + runs + " runs: " + noise.join(", ") : "") + ".";
}

function relkitExplorer(root, data) {
  var names = ["failure_share", "open_s", "min_calls"], words = {failure_share: "share that must fail", open_s: "open time", min_calls: "least calls"};
  var html = data.stamp ? "<p class='stamp'>" + relkitEscape(data.stamp) + "</p>" : "";
  html += "<p>" + relkitEscape(data.fixed) + " Shaded: the trouble. Amber dots: the breaker was half open and tried a call.</p><div class='controls'>";
  names.forEach(function (name) {
    html += "<label for='" + name + "'>" + words[name] + " <output id='" + name + "-now' for='" + name + "'></output><input type='range' id='" + name + "' min='0' max='" + (data.settings[name].length - 1) + "' step='1'></label>";
  });
  html += "<label for='scenario'>trouble <select id='scenario'>" + data.scenarios.map(function (one, i) { return "<option value='" + i + "'>" + relkitEscape(one.name) + "</option>"; }).join("") + "</select></label>";
  html += "<label for='ghost'>beside it <select id='ghost'><option value='-1'>nothing</option>" + data.scenarios[0].presets.map(function (one, i) { return "<option value='" + i + "'" + (i ? "" : " selected") + ">" + relkitEscape(one.name) + "</option>"; }).join("") + "</select></label></div>";
  html += "<div class='picture'></div><div class='card'><p class='verdict' aria-live='polite'></p><div class='wide' tabindex='0'><table><thead><tr><th scope='col'></th>" + relkitFigures.map(function (one) { return "<th scope='col'>" + one.name + "</th>"; }).join("") + "</tr></thead><tbody></tbody></table></div>";
  html += "<p class='small'>Means of " + data.runs + " runs with " + Math.round(100 * data.level) + " % intervals; a difference is taken run by run on the same luck. The picture is the first run. As relkit.toml:</p><pre></pre></div>";
  root.innerHTML = html;
  function get(id) { return root.querySelector("#" + id); }
  function label(name, value) { return name === "failure_share" ? Math.round(100 * value) + " %" : name === "open_s" ? relkitTime(value) : value + " calls"; }
  var references = data.scenarios.map(function (one) {
    return {answered: relkitUnpack(one.reference.answered), failed: relkitUnpack(one.reference.failed), rejected: relkitUnpack(one.reference.rejected), arrivals: relkitUnpack(one.arrivals)};
  });
  function course(scenario, point) {
    var ref = references[scenario];
    return {bin_s: data.scenarios[scenario].bin_s, arrivals: ref.arrivals, answered: relkitSum(point.a, ref.answered), failed: relkitSum(point.f, ref.failed), rejected: relkitSum(point.r, ref.rejected), open: relkitUnpack(point.o)};
  }
  function row(name, cells, kind) { return "<tr class='" + kind + "'><th scope='row'>" + relkitEscape(name) + "</th>" + cells.map(function (cell) { return "<td>" + cell + "</td>"; }).join("") + "</tr>"; }
  function draw() {
    var at = names.map(function (name) { return Number(get(name).value); }), scenario = Number(get("scenario").value), beside = Number(get("ghost").value);
    var its = data.scenarios[scenario], point = its.points[(at[0] * data.settings.open_s.length + at[1]) * data.settings.min_calls.length + at[2]];
    var ghost = beside < 0 ? null : its.presets[beside];
    names.forEach(function (name, i) {
      var text = label(name, data.settings[name][at[i]]);
      get(name + "-now").textContent = text;
      get(name).setAttribute("aria-valuetext", text);
    });
    relkitDraw(root.querySelector(".picture"), course(scenario, point), ghost && course(scenario, ghost), its.trouble, "this point", ghost ? ghost.name : "");
    function figures(one) { return relkitFigures.map(function (figure, place) { return relkitCell(figure, one.s[place]); }); }
    var apart = ghost && relkitFigures.map(function (figure, place) { return relkitApart(point.v[place], ghost.v[place], data.t); });
    var rows = row("this point", figures(point), "here");
    if (ghost) {
      rows += row("difference to " + ghost.name, apart.map(function (one, place) {
        var figure = relkitFigures[place];
        if (one === null) return "none";
        if (one.isSame) return "the same";
        if (one.isNoise) return "inside the noise <span>" + relkitSigned(figure, one.low) + " to " + relkitSigned(figure, one.high) + "</span>";
        return relkitSigned(figure, one.mean) + figure.apart + " <span>" + relkitSigned(figure, one.low) + " to " + relkitSigned(figure, one.high) + "</span>";
      }), "apart");
    }
    root.querySelector("tbody").innerHTML = rows + its.presets.map(function (one) { return row(one.name, figures(one), ""); }).join("");
    var same = at.every(function (value, i) { return value === data.choice[i]; });
    root.querySelector(".verdict").textContent = (ghost ? relkitVerdict(apart, ghost.name, data.runs) : "In " + its.name + " this point answers " + relkitFigures[0].write(point.s[0][0]) + " % of the requests.") + (same && data.is_choice ? " It is the point nearest to the choice." : "");
    root.querySelector("pre").textContent = data.text.replace("{failure_share}", data.settings.failure_share[at[0]]).replace("{open_s}", data.settings.open_s[at[1]].toFixed(data.settings.open_s[at[1]] % 1 ? 2 : 1)).replace("{min_calls}", data.settings.min_calls[at[2]]);
  }
  names.forEach(function (name, i) { get(name).value = data.choice[i]; get(name).addEventListener("input", draw); });
  get("scenario").addEventListener("change", draw);
  get("ghost").addEventListener("change", draw);
  window.addEventListener("resize", draw);
  draw();
  return draw;
}
