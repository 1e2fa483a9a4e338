"use strict";
// Draws a course of a run (relkitDraw) and lets three sliders choose among the points that were played (relkitExplorer).
// Colours are those of the printed figures: blue answered, rust failed and open, grey turned away, amber half open.
var relkitColours = {answered: "#0072b2", failed: "#b34700", rejected: "#b9b9b9", half: "#e69f00", closed: "#dcebf5", trouble: "#f6d9c4"};

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
  if (seconds < 1) return Math.round(seconds * 1000) + " ms";
  if (seconds < 120) return seconds.toPrecision(3) + " s";
  return seconds < 7200 ? (seconds / 60).toPrecision(3) + " min" : (seconds / 3600).toPrecision(3) + " h";
}

function relkitEscape(text) {
  return String(text).replace(/[&<>"]/g, function (c) { return {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;"}[c]; });
}

// course: {bin_s, arrivals, answered, failed, rejected, open}; ghost: the same or null; trouble: [[start, end], ...] in seconds
function relkitDraw(root, course, ghost, trouble, label, ghostLabel) {
  var n = course.answered.length, left = 120, width = 760, top = 78, height = 220, most = 1, parts = [], step = width / n;
  for (var i = 0; i < n; i++) most = Math.max(most, course.answered[i] + course.failed[i] + course.rejected[i], course.arrivals[i], ghost ? ghost.answered[i] : 0);
  function x(i) { return (left + i * step).toFixed(1); }
  function y(v) { return (top + height - v / most * height).toFixed(1); }
  trouble.forEach(function (one) {
    var a = left + one[0] / course.bin_s * step, b = left + one[1] / course.bin_s * step;
    parts.push("<rect x='" + a.toFixed(1) + "' y='6' width='" + (b - a).toFixed(1) + "' height='" + (top + height - 6) + "' fill='" + relkitColours.trouble + "'/>");
  });
  function ribbon(one, at, name) {
    parts.push("<text x='" + (left - 8) + "' y='" + (at + 14) + "' text-anchor='end'>" + relkitEscape(name) + "</text>");
    parts.push("<rect x='" + left + "' y='" + at + "' width='" + width + "' height='18' fill='" + relkitColours.closed + "'/>");
    var path = "", dots = "";
    for (var i = 0; i < n; i++) {
      var half = one.open[i] >= 20, tenths = half ? one.open[i] - 20 : one.open[i];
      if (tenths) { var h = 1.8 * tenths; path += "M" + x(i) + " " + (at + 18 - h).toFixed(1) + "h" + step.toFixed(2) + "v" + h.toFixed(1) + "h" + (-step).toFixed(2) + "z"; }
      if (half) dots += "<circle cx='" + (left + (i + 0.5) * step).toFixed(1) + "' cy='" + (at + 9) + "' r='2.4' fill='" + relkitColours.half + "'/>";
    }
    parts.push("<path d='" + path + "' fill='" + relkitColours.failed + "'/>" + dots);
  }
  ribbon(course, 8, label);
  if (ghost) ribbon(ghost, 34, ghostLabel);
  var base = new Array(n).fill(0);
  ["answered", "failed", "rejected"].forEach(function (name) {
    var path = "";
    for (var i = 0; i < n; i++) {
      var v = course[name][i];
      if (v > 0) path += "M" + x(i) + " " + y(base[i] + v) + "h" + step.toFixed(2) + "V" + y(base[i]) + "h" + (-step).toFixed(2) + "z";
      base[i] += v;
    }
    parts.push("<path d='" + path + "' fill='" + relkitColours[name] + "'/>");
  });
  function line(values, style) {
    var path = "";
    for (var i = 0; i < n; i++) path += (i ? "L" : "M") + (left + (i + 0.5) * step).toFixed(1) + " " + y(values[i]);
    parts.push("<path d='" + path + "' fill='none' " + style + "/>");
  }
  line(course.arrivals, "stroke='#222' stroke-width='1'");
  if (ghost) line(ghost.answered, "stroke='#767676' stroke-width='1.2' stroke-dasharray='4 3'");
  [0, 0.5, 1].forEach(function (share) {
    parts.push("<text x='" + (left - 8) + "' y='" + (Number(y(most * share)) + 4) + "' text-anchor='end'>" + Math.round(most * share) + "</text>");
  });
  for (var t = 0; t <= 4; t++) parts.push("<text x='" + (left + width * t / 4) + "' y='" + (top + height + 18) + "' text-anchor='middle'>" + relkitTime(course.bin_s * n * t / 4) + "</text>");
  parts.push("<text x='" + left + "' y='" + (top - 8) + "'>requests in " + relkitTime(course.bin_s) + ": <tspan fill='" + relkitColours.answered + "'>answered</tspan>, <tspan fill='" + relkitColours.failed + "'>failed</tspan>, <tspan fill='#767676'>turned away</tspan>; line: all that came" + (ghost ? "; dashed: answered by " + relkitEscape(ghostLabel) : "") + "</text>");
  root.innerHTML = "<svg viewBox='0 0 900 325' role='img' aria-label='Course of the run: state of the breaker and requests over time'>" + parts.join("") + "</svg>";
}

function relkitSummary(s) {
  return [s[0] === null ? "none" : (100 * s[0]).toFixed(2) + " %", s[1] === null ? "none" : s[1].toFixed(1), relkitTime(s[2]), relkitTime(s[3]), relkitTime(s[4])];
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
  html += "<div class='picture'></div><div class='card' aria-live='polite'><p class='verdict'></p><table><thead><tr><th scope='col'></th><th scope='col'>success</th><th scope='col'>wasted calls per 1,000</th><th scope='col'>detection</th><th scope='col'>p95</th><th scope='col'>recovery</th></tr></thead><tbody></tbody></table></div><p class='small'>One run on the same luck for every point: differences between points are sharp, but the page of breakers has the intervals. Settings to copy:</p><pre></pre>";
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
    var row = function (name, s, here) { return "<tr" + (here ? " class='here'" : "") + "><th scope='row'>" + relkitEscape(name) + "</th>" + relkitSummary(s).map(function (cell) { return "<td>" + cell + "</td>"; }).join("") + "</tr>"; };
    root.querySelector("tbody").innerHTML = row("this point", point.s, true) + its.presets.map(function (one) { return row(one.name, one.s, false); }).join("");
    var same = at.every(function (value, i) { return value === data.choice[i]; });
    var told = "In " + its.name + " this point answers " + relkitSummary(point.s)[0] + " of the requests and sends " + relkitSummary(point.s)[1] + " of 1,000 to a dead service";
    if (ghost) told += ", " + ghost.name + " " + relkitSummary(ghost.s)[0] + " and " + relkitSummary(ghost.s)[1];
    root.querySelector(".verdict").textContent = told + "." + (same ? " It is the point nearest to the choice." : "");
    root.querySelector("pre").textContent = data.text.replace("{failure_share}", data.settings.failure_share[at[0]]).replace("{open_s}", data.settings.open_s[at[1]].toFixed(data.settings.open_s[at[1]] % 1 ? 2 : 1)).replace("{min_calls}", data.settings.min_calls[at[2]]);
  }
  names.forEach(function (name, i) { get(name).value = data.choice[i]; get(name).addEventListener("input", draw); });
  get("scenario").addEventListener("change", draw);
  get("ghost").addEventListener("change", draw);
  draw();
  return draw;
}
