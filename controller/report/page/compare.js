// A test beside its control: which events of the two are the same, step by step.

const kComparedRows = 300;
const kAlikeShown = 2;

/** Without what differs from run to run: numbers, ids, parts of generated names. */
function steady(text) {
  return String(text ?? "").replace(/\b[0-9a-f]{8,}\b|\d+/gi, "#");
}

/** What an event is about; two of the same matter are looked at side by side. */
function matterOf(event) {
  const said = event.fields;
  const body = event.type.startsWith("std") || event.type === "file" ? said.body : "";
  return [event.service, event.type, said.from, said.to, said.interface, said.method,
    said.command, said.syscall, said.table, said.statement ?? said.query,
    event.type === "lifecycle" ? said.action : "",
    steady(said.path), steady(said.key), steady(body)].join("\u0000");
}

/** What came of it. */
function resultOf(event) {
  const said = event.fields;
  const did = event.type === "lifecycle" ? "" : said.decision;
  return [said.status, said.ok, said.error, said.code, said.signal, said.reply, said.failed, did,
    said.rule].join("\u0000");
}

/** Cut before each step of the test; a step that is sent while another is under way begins one. */
function stepsOf(events) {
  const steps = [{ name: "before the first step", events: [] }];
  for (const event of events) {
    if (event.type === "step_send") {
      steps.push({ name: [event.who, event.what].filter(Boolean).join("  "), events: [] });
    }
    steps.at(-1).events.push(event);
  }
  return steps;
}

/** Pairs in the order of `after`, what is in one of the two alone between them. */
function pairsOf(before, after, nameOf) {
  const waiting = new Map();
  before.forEach((item, index) => {
    const name = nameOf(item);
    if (!waiting.has(name)) waiting.set(name, []);
    waiting.get(name).push(index);
  });
  const partners = after.map((item) => waiting.get(nameOf(item))?.shift());
  const paired = new Set(partners);
  const pairs = [];
  let told = 0;
  const tellAlone = (end) => {
    for (; told < end; ++told) if (!paired.has(told)) pairs.push([before[told], undefined]);
  };
  after.forEach((item, index) => {
    const partner = partners[index];
    if (partner !== undefined) tellAlone(partner);
    pairs.push([partner === undefined ? undefined : before[partner], item]);
  });
  tellAlone(before.length);
  return pairs;
}

/** "alike", "differs", "lost" (of the control alone) or "added" (of the fault alone). */
function relationOf([before, after]) {
  if (!after) return "lost";
  if (!before) return "added";
  return resultOf(before) === resultOf(after) ? "alike" : "differs";
}

/** Groups of {step, rows: [{relation, before, after}]}. */
function compared(control, fault) {
  return pairsOf(stepsOf(control), stepsOf(fault), (step) => steady(step.name))
    .map(([before, after]) => ({
      step: (after ?? before).name,
      rows: pairsOf(before?.events ?? [], after?.events ?? [], matterOf)
        .map((pair) => ({ relation: relationOf(pair), before: pair[0], after: pair[1] })),
    })).filter((group) => group.rows.length > 0);
}

const kRelationTexts = { alike: "alike", differs: "differs", lost: "only in the control",
  added: "only with the fault" };

class Comparison {
  /** `linkOf(event)`: where an event of the test itself is shown; `leftOut`: of both, of the page. */
  constructor(control, fault, linkOf, leftOut) {
    this.groups = compared(control, fault);
    this.linkOf = linkOf;
    const unlike = this.groups.flatMap((group) => group.rows)
      .filter((row) => row.relation !== "alike").length;
    this.body = el("tbody", {});
    const heads = ["without faults", "with the fault"];
    const table = el("table", { class: "compared" }, el("thead", {},
      el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))), this.body);
    this.node = el("details", { class: "beside", open: true },
      el("summary", {}, `Beside its control: ${plural(unlike, "difference")}`),
      leftOut > 0 ? el("p", { class: "quiet" }, `${plural(leftOut, "event")} of the two are left ` +
        "out of this page: what seems to be in one of them alone may be among those.") : "",
      el("div", { class: "wide compared-box", tabindex: "0", role: "region",
        "aria-label": "Control and fault side by side" }, table));
    this.shown = kComparedRows;
    this.opened = new Set();
    this.draw();
  }

  draw() {
    let left = this.shown;
    const rows = [];
    for (const [index, group] of this.groups.entries()) {
      if (left <= 0) break;
      rows.push(el("tr", { class: "step" },
        el("th", { colspan: "2", scope: "colgroup" }, group.step)));
      const nodes = this.groupRows(index, group.rows).slice(0, left);
      left -= nodes.length + 1;
      rows.push(nodes);
    }
    if (left <= 0) rows.push(this.moreRow("show more", () => { this.shown += kComparedRows; }));
    fill(this.body, rows);
  }

  /** What is alike and stands together is one row, until somebody wants to see it. */
  groupRows(group, rows) {
    const nodes = [];
    for (let at = 0; at < rows.length;) {
      let end = at;
      while (end < rows.length && rows[end].relation === "alike") ++end;
      const key = `${group}.${at}`;
      if (end - at > kAlikeShown && !this.opened.has(key)) {
        nodes.push(this.moreRow(`${end - at} events that are alike`,
          () => this.opened.add(key)));
        at = end;
        continue;
      }
      for (end = Math.max(end, at + 1); at < end; ++at) nodes.push(this.row(rows[at]));
    }
    return nodes;
  }

  moreRow(text, action) {
    const act = () => { action(); this.draw(); };
    return el("tr", { class: "more" }, el("td", { colspan: "2" },
      el("button", { type: "button", onclick: act }, text)));
  }

  row({ relation, before, after }) {
    return el("tr", { class: relation }, this.cell(before, relation, false),
      this.cell(after, relation, true));
  }

  cell(event, relation, linked) {
    if (!event) return el("td", { class: "quiet" }, "–");
    const text = [event.who, event.what, event.rule].filter(Boolean).join("  ") || event.type;
    const said = linked ? el("a", { href: this.linkOf(event) }, text) : text;
    const mark = relation !== "alike" && (linked || relation === "lost")
      ? el("strong", { class: "relation" }, `${kRelationTexts[relation]}: `) : "";
    return el("td", {}, el("span", { class: "when" }, `${secondsText(event.at)} `), mark, said);
  }
}

/** How far behind each observer was at most, as it said itself at the end. */
function observersTable(events) {
  const told = events.filter((event) => event.fields.action === "observed" &&
    event.type === "lifecycle");
  if (told.length === 0) return [];
  const row = (event) => el("tr", {},
    el("th", { scope: "row" }, `${event.service} ${event.fields.observer}`),
    el("td", { class: "number" }, String(event.fields.events)),
    el("td", { class: "number" }, `${event.fields.lag_ms} ms`));
  return [el("h3", {}, "Observers"), el("div", { class: "wide", tabindex: "0" },
    el("table", { class: "observers" }, el("thead", {}, el("tr", {},
      ["observer", "events", "late at most"].map((head) => el("th", { scope: "col" }, head)))),
    el("tbody", {}, told.map(row))))];
}
