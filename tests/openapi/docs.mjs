// SPDX-License-Identifier: MIT
// The page of /docs in a real browser: an account logs in, its token is given to "Authorize", and its todos are listed with "Try it out".
// usage: node docs.mjs URL CHROMIUM SCREENSHOT        exit status 1 and the reason when anything is not as it should be
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const [url, executablePath, screenshot] = process.argv.slice(2);
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

async function call(path, body, token) {
  const reply = await fetch(url + path, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify(body),
  });
  assert.ok(reply.ok, `${path}: ${reply.status}`);
  return reply.json();
}

const account = { email: "browser@example.com", password: "Correct-horse-1" };
await call("/api/v1/auth/sign-up", account);
const { token } = await call("/api/v1/auth/login", account);
await call("/api/v1/todos", { title: "Seen in the browser" }, token);

const browser = await chromium.launch({ executablePath, args: flags });
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1400 } });
  const problems = [];
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("request", (request) => request.url().startsWith(url) || request.url().startsWith("data:") || problems.push(request.url()));

  await page.goto(`${url}/docs`);
  await page.locator(".opblock").first().waitFor();
  assert.match(await page.locator(".info .title").innerText(), /Todo API/);

  await page.locator("button.authorize").first().click();
  const scheme = page.locator(".auth-container", { hasText: "bearerAuth" });
  await scheme.locator("input").fill(token);
  await scheme.locator("button.authorize").click();
  await scheme.getByText("Logout").waitFor();
  await page.locator("button.btn-done").first().click();

  const operation = page.locator(".opblock-get", { has: page.locator('[data-path="/api/v1/todos"]') });
  await operation.locator(".opblock-summary-control").click();
  await operation.locator("button.try-out__btn").click();
  await operation.locator("button.execute").click();
  const answer = operation.locator(".live-responses-table");
  await answer.waitFor();
  assert.match(await answer.locator(".response-col_status").nth(1).innerText(), /200/);
  assert.match(await answer.innerText(), /Seen in the browser/);
  await operation.locator(".responses-wrapper").scrollIntoViewIfNeeded();
  await page.screenshot({ path: screenshot });
  assert.deepEqual(problems, []);
} finally {
  await browser.close();
}
