// How a test's events look: a lane for each service, a row for each event. Only the rows that can
// be seen exist, so ten thousand of them scroll like fifty.

const kRowHeight = 24;
const kRowsAround = 12;
const kNarrowLane = 48;

function svg(name, attributes) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

/** An element with its attributes and children; text is only ever text. */
function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value !== undefined) node.setAttribute(key, value);
  }
  return fill(node, children);
}

/** `children` (texts, elements, lists of them) in the place of what `node` has. */
function fill(node, ...children) {
  const wanted = children.flat(Infinity).filter((child) => child !== undefined && child !== "");
  node.replaceChildren(...wanted);
  return node;
}

class Timeline {
  /** `choose(event)` is called when the user goes to an event. */
  constructor(lanes, choose) {
    this.lanes = lanes;
    this.choose = choose;
    this.events = [];
    this.at = -1;
    this.header = el("div", { class: "lanes", "aria-hidden": "true" });
    this.space = el("div", { role: "presentation" });
    this.rows = el("div", {
      class: "rows", role: "listbox", tabindex: "0",
      "aria-label": "Events in order; arrow keys move, Enter shows the details",
      onscroll: () => this.draw(),
      onkeydown: (key) => this.pressed(key),
    }, this.space);
    this.node = el("div", { class: "timeline" }, this.header, this.rows);
    new ResizeObserver(() => this.layout()).observe(this.node);
  }

  show(events) {
    const chosen = this.events[this.at];
    this.events = events;
    this.at = chosen ? events.indexOf(chosen) : -1;
    this.space.style.height = `${events.length * kRowHeight}px`;
    this.layout();
  }

  layout() {
    const width = this.node.clientWidth || 600;
    const share = width * (width < 600 ? 0.3 : 0.5);
    this.laneWidth = Math.max(20, Math.min(110, share / Math.max(1, this.lanes.length)));
    this.header.classList.toggle("narrow", this.laneWidth < kNarrowLane);
    const names = this.lanes.map((lane) =>
      el("span", { style: `width:${this.laneWidth}px`, title: lane }, lane));
    fill(this.header, el("span", { class: "time" }, "s"),
      el("span", { class: "names" }, names));
    this.drawn = undefined;
    this.draw();
  }

  draw() {
    const first = Math.max(0, Math.floor(this.rows.scrollTop / kRowHeight) - kRowsAround);
    const seen = Math.ceil(this.rows.clientHeight / kRowHeight) + 2 * kRowsAround;
    const last = Math.min(this.events.length, first + seen);
    const key = `${first} ${last} ${this.at}`;
    if (this.drawn === key) return;
    this.drawn = key;
    const rows = [];
    for (let i = first; i < last; ++i) rows.push(this.row(i));
    fill(this.space, rows);
    const chosen = this.at >= first && this.at < last;
    if (chosen) this.rows.setAttribute("aria-activedescendant", `event-${this.at}`);
    else this.rows.removeAttribute("aria-activedescendant");
  }

  row(i) {
    const event = this.events[i];
    const fault = isFault(event);
    const say = [event.who, event.what, event.rule].filter(Boolean).join("  ");
    return el("div", {
      class: `row${fault ? " fault" : ""}${event.fields.injected ? " injected" : ""}`,
      role: "option", id: `event-${i}`, style: `top:${i * kRowHeight}px`,
      "aria-selected": i === this.at ? "true" : "false",
      "aria-setsize": this.events.length, "aria-posinset": i + 1, title: say,
      onclick: () => this.go(i),
    }, el("span", { class: "time" }, secondsText(event.at)), this.drawing(event, fault),
    el("span", { class: "say" }, fault ? el("strong", {}, "fault ") : "", say));
  }

  middle(lane) {
    return this.lanes.indexOf(lane) * this.laneWidth + this.laneWidth / 2;
  }

  drawing(event, fault) {
    const drawing = svg("svg", {
      width: this.lanes.length * this.laneWidth, height: kRowHeight, "aria-hidden": "true",
    });
    for (const lane of this.lanes) {
      const x = this.middle(lane);
      drawing.append(svg("line", { x1: x, x2: x, y1: 0, y2: kRowHeight, class: "lane-line" }));
    }
    const ends = endsOf(event);
    const known = ends.to !== undefined && this.lanes.includes(ends.to) && ends.to !== ends.from;
    drawing.append(...(known
      ? this.arrow(this.middle(ends.from), this.middle(ends.to), event, fault)
      : this.dot(this.middle(ends.from ?? event.service), event, fault)));
    return drawing;
  }

  arrow(from, to, event, fault) {
    const y = kRowHeight / 2;
    const way = Math.sign(to - from);
    const style = fault ? "mark fault" : "mark";
    const dash = event.type === "step_recv" ? " dash" : "";
    const parts = [
      svg("line", { x1: from, x2: to - way * 3, y1: y, y2: y, class: style + dash }),
      svg("path", { d: `M${to} ${y}l${-way * 7} -4v8z`, class: style }),
    ];
    if (fault) parts.push(this.cross((from + to) / 2, y));
    return parts;
  }

  cross(x, y) {
    return svg("path", { d: `M${x - 5} ${y - 5}l10 10m0 -10l-10 10`, class: "mark fault" });
  }

  /** Output is a small circle, a call a square, a change of life a diamond, all else a ring. */
  dot(x, event, fault) {
    const y = kRowHeight / 2;
    const style = fault ? "mark fault" : "mark";
    if (fault) return [this.cross(x, y)];
    if (event.type === "stdout") return [svg("circle", { cx: x, cy: y, r: 2.5, class: style })];
    if (event.type === "syscall") {
      return [svg("rect", { x: x - 4, y: y - 4, width: 8, height: 8, class: style })];
    }
    if (event.type === "lifecycle") {
      return [svg("path", { d: `M${x} ${y - 6}l6 6l-6 6l-6 -6z`, class: `${style} hollow` })];
    }
    return [svg("circle", { cx: x, cy: y, r: 5, class: `${style} hollow` })];
  }

  go(i) {
    if (this.events.length === 0) return;
    this.at = Math.max(0, Math.min(this.events.length - 1, i));
    this.reveal(this.at);
    this.draw();
    this.choose(this.events[this.at]);
  }

  /** Scrolls a row into view; one that is far away comes to stand in the middle. */
  reveal(i) {
    const top = i * kRowHeight;
    const { scrollTop, clientHeight } = this.rows;
    const above = top - scrollTop;
    const below = top + kRowHeight - scrollTop - clientHeight;
    if (above >= 0 && below <= 0) return;
    const far = above < -2 * kRowHeight || below > 2 * kRowHeight;
    if (far) this.rows.scrollTop = top - clientHeight / 2;
    else this.rows.scrollTop += above < 0 ? above : below;
  }

  /** To the next event (`way` 1) or the last one (-1) that is a fault; false if there is none. */
  goToFault(way) {
    for (let i = this.at + way; i >= 0 && i < this.events.length; i += way) {
      if (isFault(this.events[i])) return this.go(i) ?? true;
    }
    return false;
  }

  pressed(key) {
    const page = Math.max(1, Math.floor(this.rows.clientHeight / kRowHeight) - 1);
    const steps = {
      ArrowDown: this.at + 1, ArrowUp: this.at - 1, PageDown: this.at + page,
      PageUp: this.at - page, Home: 0, End: this.events.length - 1, Enter: Math.max(0, this.at),
    };
    if (!(key.key in steps) || key.ctrlKey || key.metaKey || key.altKey) return;
    key.preventDefault();
    this.go(steps[key.key]);
  }
}
