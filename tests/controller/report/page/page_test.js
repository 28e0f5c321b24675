// What a reader of the page of a run sees and does, in Chromium: page_test.js MODULES PAGE SHOTS.

"use strict";
const assert = require("node:assert/strict");
const path = require("node:path");

const [modules, page, shots] = process.argv.slice(2);
const { chromium } = require(path.join(modules, "playwright-core"));
const axe = path.join(modules, "axe-core", "axe.min.js");
const kFailed = "test_insert_fails_once_then_retries";
const kWide = { width: 1400, height: 900 };
const kPhone = { width: 390, height: 844 };

async function open(browser, viewport, colorScheme) {
  // The rules of accessibility are put into the page by the test; its own policy forbids that.
  const context = await browser.newContext({ viewport, colorScheme, bypassCSP: true });
  const view = await context.newPage();
  view.setDefaultTimeout(120_000);
  view.wrong = [];
  view.on("pageerror", (error) => view.wrong.push(`error: ${error.message}`));
  view.on("console", (line) => { if (line.type() === "error") view.wrong.push(line.text()); });
  view.on("request", (request) => {
    if (!/^(file|data):/.test(request.url())) view.wrong.push(`request: ${request.url()}`);
  });
  await view.goto(`file://${page}`);
  await view.waitForSelector(".row");
  return view;
}

async function shot(view, name) {
  await view.screenshot({ path: path.join(shots, `${name}.png`) });
}

async function seriousFindings(view) {
  await view.addScriptTag({ path: axe });
  const found = await view.evaluate(() => axe.run());
  return found.violations
    .filter((violation) => ["serious", "critical"].includes(violation.impact))
    .map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.html).join(" ")}`);
}

const countText = (view) => view.locator(".filter [role=status]").textContent();
const heading = (view) => view.locator("section[aria-label] > h2");
const chosen = (view) => view.locator(".row[aria-selected=true]");

/** The first test that did not pass is shown, with its reason and the line that is to blame. */
async function showsWhatFailed(view) {
  assert.equal(await heading(view).textContent(), `${kFailed} failed`);
  assert.match(await view.locator(".finding strong").first().textContent(), /expected 1, got 2/);
  assert.match(await view.locator(".source .blamed").textContent(), /^58# line 58 .*failed here$/);
  assert.ok(await view.locator(".source .blamed").isVisible());
  assert.equal(await view.locator(".tests a").count() > 3, true);
  assert.match(await view.locator("details", { hasText: "api.log" }).textContent(), /listening/);
}

/** Scenarios and faults as a table, whose cells lead to their tests. */
async function matrixLeadsToItsTests(view) {
  const table = view.locator(".matrix table");
  assert.equal(await table.locator("thead th").count(), 3);
  assert.deepEqual(await table.locator("tbody th").allTextContents(), ["order", "payment"]);
  assert.deepEqual(await table.locator("tbody tr").last().locator("td").allTextContents(),
    ["skipped", "not run"]);
  await view.getByRole("link", { name: "order, database down: invalid" }).click();
  assert.equal(await heading(view).textContent(), "test_invalid invalid");
  await view.goBack();
  await view.waitForSelector(".row");
}

/** What texts bring with them is shown as text and does nothing. */
async function hostileTextsAreTexts(view) {
  assert.match(await view.locator(".finding strong").first().textContent(), /<\/script><script>/);
  assert.equal(await view.locator("img").count(), 0);
  assert.equal(await view.locator("body script").count(), 0);
  assert.notEqual(await view.title(), "owned");
}

/** A lane for each service; ten thousand events are there, of which only those in sight exist. */
async function drawsLanesAndRows(view) {
  assert.deepEqual(await view.locator(".lanes .names span").allTextContents(),
    ["test", "postgres", "api"]);
  assert.equal(await countText(view), "10000 events");
  assert.ok(await view.locator(".row").count() < 120);
  // From the beginning the first fault is in sight: its arrow, its cross and its words.
  const fault = view.locator(".row.fault").first();
  assert.match(await fault.textContent(), /fault .*api → postgres.*ERROR 40001/);
  assert.equal(await fault.locator("svg path.mark.fault").count(), 2);
  assert.equal(await view.locator(".row", { hasText: "201 after" }).count() +
    await view.locator(".row svg .dash").count() > 0, true);
}

async function keyboardMovesAndOpens(view) {
  await view.locator(".rows").focus();
  await view.keyboard.press("Home");
  assert.equal(await chosen(view).getAttribute("aria-posinset"), "1");
  await view.keyboard.press("ArrowDown");
  assert.equal(await chosen(view).getAttribute("aria-posinset"), "2");
  await view.keyboard.press("End");
  assert.equal(await chosen(view).getAttribute("aria-posinset"), "10000");
  assert.equal(await view.locator(".rows").getAttribute("aria-activedescendant"),
    await chosen(view).getAttribute("id"));
  assert.ok(await chosen(view).isVisible());
  await view.keyboard.press("Home");
  await view.keyboard.press("n");
  assert.match(await chosen(view).textContent(), /ERROR 40001/);
  const first = await chosen(view).getAttribute("aria-posinset");
  await view.keyboard.press("n");
  assert.notEqual(await chosen(view).getAttribute("aria-posinset"), first);
  await view.keyboard.press("p");
  assert.equal(await chosen(view).getAttribute("aria-posinset"), first);
  await view.keyboard.press("Escape");
  assert.ok(await view.locator(".detail").isHidden());
}

/** The fields of an event, its decoded message, and the way to what caused it. */
async function detailsOfAnEvent(view) {
  await view.keyboard.press("/");
  await view.keyboard.type("number:10004 type:step_recv");
  assert.equal(await countText(view), "0 of 10000 events");
  await view.locator("input[type=search]").fill("path:/orders/9994");
  assert.equal(await countText(view), "1 of 10000 events");
  await view.locator(".row").first().click();
  const detail = view.locator(".detail");
  assert.match(await detail.textContent(), /Decoded\{\s*"order": \{\s*"id": 9994/);
  assert.match(await detail.locator("tr", { hasText: "path" }).textContent(), /\/orders\/9994/);
  await detail.getByRole("button", { name: "event 9991" }).click();
  assert.match(await detail.textContent(), /step_send/);
  assert.equal(await view.locator("input[type=search]").inputValue(), "");
  assert.match(view.url(), /#\d+\.9991$/);
}

async function filters(view) {
  const box = view.locator("input[type=search]");
  await box.fill("type:lifecycle");
  assert.equal(await countText(view), "1 of 10000 events");
  await box.fill("-type:proxy -type:stdout -type:step_send -type:step_recv");
  assert.equal(await countText(view), "1 of 10000 events");
  await box.fill('"postgres ready"');
  assert.equal(await countText(view), "1 of 10000 events");
  await box.fill("");
  await view.getByLabel(/only faults/).check();
  assert.equal(await countText(view), "25 of 10000 events");
  await view.getByLabel(/only faults/).uncheck();
  await view.getByLabel("what explains the verdict").check();
  assert.equal(await countText(view), "3 of 10000 events");
  await view.getByLabel("what explains the verdict").uncheck();
}

/** A cell beside its control: what differs, step by step; what is alike is folded. */
async function showsTheControlBesideTheFault(view) {
  await view.locator(".matrix td a").filter({ hasText: "inconclusive" }).click();
  await view.waitForSelector(".compared");
  assert.equal(await view.locator(".beside summary").textContent(),
    "Beside its control: 4 differences");
  const rows = (name) => view.locator(`.compared tr.${name}`);
  assert.deepEqual((await rows("step").allTextContents()).map((text) => text.slice(-9)),
    ["irst step", "/orders/1", "/orders/2"]);
  assert.equal(await rows("differs").count(), 2);
  const [before, after] = await rows("differs").first().locator("td").allTextContents();
  assert.match(before, /^0\.00[45] api → postgres.*INSERT INTO t VALUES \(20\).*INSERT 0 1/);
  assert.match(after, /^0\.00[45] differs: api → postgres.*ERROR 40001/);
  assert.match(await rows("differs").last().textContent(), /201.*differs: .*500/);
  assert.match(await rows("lost").textContent(), /only in the control: .*done–$/);
  assert.match(await rows("added").textContent(), /^–.*only with the fault: .*gave up$/);
  assert.match(await rows("alike").filter({ hasText: "took" }).textContent(),
    /took 20 ms.*took 1000 ms/);
  await view.getByRole("button", { name: "4 events that are alike" }).first().click();
  await view.locator(".compared a", { hasText: "INSERT INTO t VALUES (1002)" }).click();
  assert.match(await view.locator(".detail").textContent(), /INSERT INTO t VALUES \(1002\)/);
  assert.match(await view.locator(".observers").textContent(), /postgres wal_stream412 ms$/);
  await view.keyboard.press("Escape");
  await view.locator(".beside").scrollIntoViewIfNeeded();
  await shot(view, `beside-${view.viewportSize().width}`);
  assert.deepEqual(await seriousFindings(view), []);
}

async function goesFromTestToTest(view) {
  await view.locator(".tests a").first().click();
  assert.match(await heading(view).textContent(), /^test_checkout.* passed$/);
  assert.match(await view.locator("main").textContent(), /There are none\./);
  await view.goBack();
  await view.waitForSelector(".row");
}

/** On a phone nothing is wider than the screen, and details lie over the lower part of it. */
async function fitsAPhone(view) {
  const width = () => view.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(await width() <= kPhone.width, `${await width()} px wide`);
  await shot(view, "phone");
  await view.locator(".row.fault").first().scrollIntoViewIfNeeded();
  await view.locator(".row.fault").first().click();
  const box = await view.locator(".detail").boundingBox();
  assert.equal(Math.round(box.y + box.height), kPhone.height);
  await shot(view, "phone-detail");
  await view.getByRole("button", { name: "close" }).click();
}

const kWideChecks = [showsWhatFailed, matrixLeadsToItsTests, hostileTextsAreTexts, drawsLanesAndRows,
  keyboardMovesAndOpens, detailsOfAnEvent, filters, goesFromTestToTest,
  showsTheControlBesideTheFault];

async function main() {
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"],
  });
  try {
    const light = await open(browser, kWide, "light");
    await shot(light, "light");
    for (const check of kWideChecks) {
      await check(light);
      console.log(`ok ${check.name}`);
    }
    assert.deepEqual(await seriousFindings(light), []);
    const dark = await open(browser, kWide, "dark");
    await dark.keyboard.press("n");
    await shot(dark, "dark");
    await showsTheControlBesideTheFault(dark);
    const ground = await dark.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(ground, "rgb(20, 23, 27)");
    assert.deepEqual(await seriousFindings(dark), []);
    const phone = await open(browser, kPhone, "light");
    await fitsAPhone(phone);
    assert.deepEqual(await seriousFindings(phone), []);
    // The rules do find what is wrong.
    await showsTheControlBesideTheFault(phone);
    assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth) <= kPhone.width);
    await phone.evaluate(() => document.querySelector(".rows").removeAttribute("aria-label"));
    assert.match((await seriousFindings(phone)).join(), /aria-input-field-name/);
    for (const view of [light, dark, phone]) assert.deepEqual(view.wrong, []);
    console.log("ok dark, phone, accessibility");
  } finally {
    await browser.close();
  }
}

main().catch((error) => {
  console.error(error.stack);
  process.exit(1);
});
