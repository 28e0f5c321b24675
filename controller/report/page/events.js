// What is known of a test's events: where they stand, which lanes there are, which a filter wants.

/** The run, its sources, logs and events; packed, so that ten thousand events are a small file. */
async function readData() {
  const packed = document.getElementById("run-data").textContent.trim();
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

/** Events by the time of their source, but never before what caused them. */
function eventsInOrder(listed) {
  const at = new Map();
  const events = listed.map(([event, who, what, rule]) => ({ ...event, who, what, rule }));
  events.sort((a, b) => a.number - b.number);
  for (const event of events) {
    const causes = (event.after ?? []).map((number) => at.get(number) ?? 0);
    event.at = Math.max(event.source_time_ns || event.time_ns, ...causes);
    at.set(event.number, event.at);
  }
  return events.sort((a, b) => a.at - b.at || a.number - b.number);
}

/** A rule fired here: the request or the call did not go as it would have gone. */
function isFault(event) {
  const known = event.type === "proxy" || event.type === "syscall";
  return known && Boolean(event.fields.rule) && event.fields.action !== "skipped";
}

/** From whom to whom an event is a message; of anything else, `to` is missing. */
function endsOf(event) {
  const { from, to } = event.fields;
  if (event.type === "step_recv") return { from: to, to: event.service };
  if (event.type === "step_send") return { from: event.service, to };
  if (event.type === "proxy") return { from: from ?? event.service, to };
  if (event.type === "syscall" && event.fields.syscall === "connect") {
    return { from: event.service, to };
  }
  return { from: event.service };
}

/** The test first, then services as they appear. An undeclared address has no lane. */
function lanesOf(events) {
  const lanes = new Set(events.some((event) => event.service === "test") ? ["test"] : []);
  for (const event of events) {
    lanes.add(event.service);
    const { to } = endsOf(event);
    if (typeof to === "string" && !event.fields.undeclared) lanes.add(to);
  }
  return [...lanes];
}

function secondsText(nanoseconds) {
  return (nanoseconds / 1e9).toFixed(3);
}

/** Everything that a word without a name may be found in. */
function textOf(event) {
  event.text ??= [event.who, event.what, event.rule, event.type, JSON.stringify(event.fields)]
    .join(" ").toLowerCase();
  return event.text;
}

/** `word`, `-word`, "two words", `name:value`; names are fields, type, service and number. */
function filterOf(text) {
  const words = text.match(/-?(?:[\w.]+:)?"[^"]*"|\S+/g) ?? [];
  const tests = words.map((word) => {
    const wanted = !word.startsWith("-") || word === "-";
    const rest = wanted ? word : word.slice(1);
    const named = /^([A-Za-z_]\w*):(?!\/\/)(.+)$/.exec(rest);
    const value = (named ? named[2] : rest).replaceAll('"', "").toLowerCase();
    const found = named
      ? (event) => valueText(event, named[1]).includes(value)
      : (event) => textOf(event).includes(value);
    return (event) => found(event) === wanted;
  });
  return (event) => tests.every((test) => test(event));
}

function valueText(event, name) {
  const own = { type: event.type, service: event.service, number: event.number };
  const value = own[name] ?? event.fields[name];
  if (value === undefined || value === null) return "";
  return (typeof value === "object" ? JSON.stringify(value) : String(value)).toLowerCase();
}
