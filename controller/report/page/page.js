// The page: the run, its tests, and of the chosen one what went wrong, its events, source and logs.

function verdict(outcome) {
  return el("span", { class: `verdict ${outcome.replaceAll(" ", "-")}` }, outcome);
}

function plural(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

function runHeader(run) {
  const counts = Object.entries(run.totals)
    .filter(([name, count]) => name !== "planned" && count > 0)
    .map(([name, count]) => [verdict(name), ` ${count} `]);
  return el("header", { class: "top" },
    el("h1", {}, `Misrule run ${run.run || "that could not begin"}`),
    el("p", {}, counts.flat(), el("span", { class: "quiet" },
      `exit code ${run.exit_code} · ${(run.took_ms / 1000).toFixed(1)} s · seed ${run.seed}` +
      ` · misrule ${run.misrule}`)),
    [...run.stand_ins, ...run.notes].map((note) => el("p", { class: "quiet" }, note)));
}

function problemSection(problems) {
  return problems.map((problem) => el("section", { class: "test" },
    el("h2", {}, problem.file || "The run"), el("pre", {}, problem.rendered || problem.message)));
}

/** Scenarios below each other, faults side by side; each cell leads to its test. */
function matrixTable(cells) {
  const faults = [...new Set(cells.map(({ test }) => test.cell.fault))];
  const scenarios = [...new Set(cells.map(({ test }) => test.cell.scenario))];
  const cell = (scenario, fault) => {
    const found = cells.find(({ test }) =>
      test.cell.scenario === scenario && test.cell.fault === fault);
    return el("td", {}, found ? el("a", { href: `#${found.index}`,
      "aria-label": `${scenario}, ${fault}: ${found.test.outcome}` },
    verdict(found.test.outcome)) : el("span", { class: "quiet" }, "not run"));
  };
  const row = (scenario) => el("tr", {}, el("th", { scope: "row" }, scenario),
    faults.map((fault) => cell(scenario, fault)));
  return el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Matrix" },
    el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "scenario"),
      faults.map((fault) => el("th", { scope: "col" }, fault)))),
    el("tbody", {}, scenarios.map(row))));
}

function matrixSection(tests) {
  const matrices = new Map();
  tests.forEach((test, index) => {
    if (!test.cell) return;
    const key = `${test.file} ${test.cell.matrix}`;
    matrices.set(key, [...matrices.get(key) ?? [], { test, index }]);
  });
  if (matrices.size === 0) return "";
  return el("section", { class: "top matrix", "aria-label": "Matrices" },
    [...matrices.values()].map(matrixTable));
}

function positionText(position) {
  return position ? `${position.file}:${position.line}:${position.column}` : "";
}

function findingNode(finding) {
  return el("div", { class: "finding" },
    el("p", {}, el("strong", {}, finding.message)),
    el("p", { class: "mono" }, positionText(finding.position)),
    finding.detail.length > 0 ? el("pre", {}, finding.detail.join("\n")) : "",
    finding.hint ? el("p", {}, finding.hint) : "");
}

/** "test_x/1" is rule "1" of test_x. */
function shortRule(id, test) {
  return id.startsWith(`${test}/`) ? id.slice(test.length + 1) : id;
}

function rulesTable(rules, test) {
  if (rules.length === 0) return [];
  const heads = ["rule", "what it does", "asked", "matched", "fired", "cut"];
  const row = (rule) => el("tr", {}, el("th", { scope: "row" }, shortRule(rule.id, test)),
    el("td", {}, rule.description.replaceAll("->", "→"),
      rule.near_misses.map((miss) => el("div", { class: "quiet" }, `near miss: ${miss}`))),
    [rule.considered, rule.matched, rule.fired, rule.connections_cut].map((count) =>
      el("td", { class: "number" }, String(count))));
  return [el("h3", {}, "Rules"), el("div", { class: "wide", tabindex: "0" }, el("table", {},
    el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))),
    el("tbody", {}, rules.map(row))))];
}

/** The files that a test's findings and rules point into, with those lines marked. */
function sourceNodes(test, sources) {
  const blamed = new Map();
  const mark = (position, note, bad) => {
    if (!position || sources[position.file] === undefined) return;
    if (!blamed.has(position.file)) blamed.set(position.file, new Map());
    const lines = blamed.get(position.file);
    if (!lines.get(position.line)?.bad) lines.set(position.line, { note, bad });
  };
  test.rules.forEach((rule) => mark(rule.position, `rule ${shortRule(rule.id, test.name)}`, false));
  test.findings.forEach((finding) => mark(finding.position, "failed here", true));
  if (sources[test.file] !== undefined && !blamed.has(test.file)) blamed.set(test.file, new Map());
  return [...blamed].map(([file, lines]) => {
    const items = sources[file].split("\n").map((text, index) => {
      const found = lines.get(index + 1);
      return el("li", { class: found ? (found.bad ? "blamed" : "ruled") : undefined },
        el("span", { class: "line-number" }, String(index + 1)), text,
        found ? el("span", { class: "source-note" }, `← ${found.note}`) : "");
    });
    const box = el("div", { class: "source", tabindex: "0", role: "region", "aria-label": file },
      el("ol", {}, items));
    const scroll = () => {
      const line = box.querySelector(".blamed") ?? box.querySelector(".ruled");
      if (line) box.scrollTop = line.offsetTop - box.offsetTop - box.clientHeight / 3;
    };
    const bad = [...lines.values()].some((line) => line.bad);
    return el("details", { open: bad, ontoggle: scroll }, el("summary", {}, file), box);
  });
}

function logNodes(logs) {
  const end = (log) => el("span", { class: "quiet" }, ` (the end of ${log.bytes} bytes)`);
  return Object.entries(logs).map(([name, log]) => el("details", {},
    el("summary", {}, name, log.cut ? end(log) : ""),
    el("pre", { tabindex: "0" }, log.text || "(nothing)")));
}

function valueNode(value) {
  if (value !== null && typeof value === "object") {
    return el("pre", {}, JSON.stringify(value, null, 2));
  }
  return el("span", { class: "mono" }, String(value));
}

class TestView {
  constructor(test, extra, data, index) {
    const { sources, controls } = data;
    this.events = eventsInOrder(extra.events);
    this.index = index;
    this.story = new Set(test.story);
    this.detail = el("section",
      { class: "detail", "aria-label": "Event", hidden: true, tabindex: "0" });
    this.timeline = new Timeline(lanesOf(this.events), (event) => this.choose(event));
    this.stage = el("div", { class: "stage" }, this.timeline.node, this.detail);
    const source = sourceNodes(test, sources);
    const logs = logNodes(extra.logs);
    this.node = el("section", { class: "test", "aria-label": test.name },
      el("h2", {}, test.name, " ", verdict(test.outcome)),
      test.description ? el("p", {}, test.description) : "",
      test.findings.map(findingNode),
      test.notes.map((note) => el("p", { class: "quiet" }, note)),
      el("p", {}, el("span", { class: "quiet" }, `${secondsText(test.took_ms * 1e6)} s · again: `),
        el("code", {}, test.again)),
      rulesTable(test.rules, test.name),
      observersTable(this.events),
      this.besideControl(controls[extra.control], extra.left_out),
      el("h3", {}, "Events"), this.eventNodes(extra),
      source.length > 0 ? [el("h3", {}, "Spec"), source] : "",
      logs.length > 0 ? [el("h3", {}, "Output of services"), logs] : "");
    this.refilter();
    // A test is looked at for its faults: the first one is in sight from the beginning.
    const first = this.events.findIndex(isFault);
    if (first >= 0) requestAnimationFrame(() => this.timeline.reveal(first));
  }

  besideControl(control, leftOut) {
    if (!control || control.events.length === 0 || this.events.length === 0) return "";
    return new Comparison(eventsInOrder(control.events), this.events,
      (event) => `#${this.index}.${event.number}`, control.left_out + leftOut).node;
  }

  button(text, action) {
    return el("button", { type: "button", onclick: action }, text);
  }

  eventNodes(extra) {
    if (this.events.length === 0) {
      return el("p", { class: "quiet" }, extra.missing || "There are none.");
    }
    this.box = el("input", { type: "search", "aria-label": "Filter events",
      placeholder: "word  -word  type:proxy",
      oninput: () => this.refilter() });
    this.faultsOnly = el("input", { type: "checkbox", onchange: () => this.refilter() });
    this.storyOnly = el("input", { type: "checkbox", onchange: () => this.refilter() });
    this.count = el("span", { class: "quiet", role: "status" });
    const faults = this.events.filter(isFault).length;
    return [
      el("div", { class: "filter" }, this.box,
        faults > 0 ? el("label", {}, this.faultsOnly, ` only faults (${faults})`) : "",
        this.story.size > 0 ? el("label", {}, this.storyOnly, " what explains the verdict") : "",
        faults > 0 ? [
          this.button("previous fault", () => this.timeline.goToFault(-1)),
          this.button("next fault", () => this.timeline.goToFault(1)),
        ] : "", this.count),
      extra.left_out > 0 ? el("p", { class: "quiet" },
        `${extra.left_out} of ${plural(extra.left_out + this.events.length, "event")} are left out ` +
        "of this page, from the middle; the event log has them.") : "",
      this.stage];
  }

  refilter() {
    if (!this.box) return;
    const wanted = filterOf(this.box.value);
    const shown = this.events.filter((event) => wanted(event) &&
      (!this.faultsOnly.checked || isFault(event)) &&
      (!this.storyOnly.checked || this.story.has(event.number)));
    this.count.textContent = shown.length === this.events.length
      ? plural(shown.length, "event") : `${shown.length} of ${plural(this.events.length, "event")}`;
    this.timeline.show(shown);
  }

  choose(event) {
    const facts = { number: event.number, type: event.type, service: event.service,
      time: `${secondsText(event.at)} s` };
    const { data, ...fields } = event.fields;
    const row = ([name, value]) => el("tr", {}, el("th", { scope: "row" }, name),
      el("td", {}, valueNode(value)));
    const causes = (event.after ?? []).map((number) =>
      this.button(`event ${number}`, () => this.goTo(number)));
    fill(this.detail,
      el("div", { class: "close" }, this.button("close", () => this.close())),
      el("h3", {}, event.what || event.type),
      el("p", {}, event.who), event.rule ? el("p", { class: "failed" }, event.rule) : "",
      el("table", {}, el("tbody", {}, Object.entries({ ...facts, ...fields }).map(row))),
      data === undefined ? "" : [el("h3", {}, "Decoded"), valueNode(data)],
      causes.length > 0 ? el("p", {}, "caused by ", causes) : "",
      el("h3", {}, "Clock"), valueNode(event.clock ?? {}));
    this.detail.hidden = false;
    this.stage.classList.add("open");
    this.detail.scrollTop = 0;
    history.replaceState(null, "", `#${this.index}.${event.number}`);
  }

  goTo(number) {
    const find = () => this.timeline.events.findIndex((event) => event.number === number);
    if (find() < 0 && this.box) {
      this.box.value = "";
      this.faultsOnly.checked = this.storyOnly.checked = false;
      this.refilter();
    }
    if (find() >= 0) this.timeline.go(find());
  }

  close() {
    this.detail.hidden = true;
    this.stage.classList.remove("open");
    this.timeline.rows.focus();
  }
}

class Page {
  constructor(data) {
    this.data = data;
    this.links = data.run.tests.map((test, index) => el("a", { href: `#${index}` },
      verdict(test.outcome), el("span", {}, test.name)));
    this.place = el("main", {});
    const many = new Set(data.run.tests.map((test) => test.file)).size > 1;
    data.run.tests.forEach((test, index) => {
      if (many) this.links[index].append(el("span", { class: "quiet" }, test.file));
    });
    const tests = el("nav", { class: "tests", "aria-label": "Tests", tabindex: "0" },
      el("ul", {}, this.links.map((link) => el("li", {}, link))));
    fill(document.body, runHeader(data.run), matrixSection(data.run.tests),
      el("div", { class: "columns" }, tests, this.place));
    addEventListener("hashchange", () => this.follow());
    addEventListener("keydown", (key) => this.pressed(key));
    this.follow();
  }

  /** `#2.17` is event 17 of the third test; without one, the first test that did not pass. */
  follow() {
    const { tests, problems } = this.data.run;
    const asked = /^#(\d+)(?:\.(\d+))?$/.exec(location.hash);
    const silent = ["passed", "skipped", "not exercised", "no oracle"];
    const worst = tests.findIndex((test) => !silent.includes(test.outcome));
    const index = asked && tests[asked[1]] ? Number(asked[1]) : Math.max(0, worst);
    if (tests.length === 0) return fill(this.place, problemSection(problems));
    if (this.view?.index !== index) {
      this.links.forEach((link, i) => {
        if (i === index) link.setAttribute("aria-current", "page");
        else link.removeAttribute("aria-current");
      });
      this.view = new TestView(tests[index], this.data.tests[index], this.data, index);
      fill(this.place, problemSection(problems), this.view.node);
      document.title = `${tests[index].outcome}: ${tests[index].name} · Misrule`;
    }
    if (asked?.[2]) this.view.goTo(Number(asked[2]));
  }

  pressed(key) {
    const typing = key.target instanceof HTMLInputElement && key.target.type === "search";
    if (key.ctrlKey || key.metaKey || key.altKey || !this.view) return;
    if (key.key === "Escape" && !this.view.detail.hidden) return this.view.close();
    if (typing) return;
    if (key.key === "/") {
      key.preventDefault();
      this.view.box?.focus();
    } else if (key.key === "n" || key.key === "p") {
      this.view.timeline.goToFault(key.key === "n" ? 1 : -1);
    }
  }
}

readData().then((data) => new Page(data)).catch((error) => {
  document.body.prepend(el("p", { class: "top failed", role: "alert" },
    `The details of this run cannot be shown in this browser: ${error.message}`));
});
