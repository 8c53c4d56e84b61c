// Firefox without a screen, in a profile of its own, with a page and a service worker as an app has them.
// It is connected to the simulator's push server, and driven over WebDriver BiDi.

import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import puppeteer from 'puppeteer-core';

const program = '/usr/bin/firefox-esr';

/** These were found to work together; which of them Firefox could do without was not tried. */
const preferences = (pushPort) => ({
  'dom.push.enabled': true,
  'dom.push.connection.enabled': true,
  'dom.push.serverURL': `ws://localhost:${pushPort}/`,
  'dom.push.testing.allowInsecureServerURL': true,
  'dom.push.testing.ignorePermission': true,
  'dom.serviceWorkers.testing.enabled': true,
  'permissions.default.desktop-notification': 1,
  // Without a desktop nobody takes notifications, and showNotification() would fail.
  'alerts.useSystemBackend': false,
  // A browser that was disconnected comes back after half a second instead of five.
  'dom.push.retryBaseInterval': 500,
});

/** Shows what is pushed, as an app's would, and reports to the page's server what it has read. */
const serviceWorker = `
  self.addEventListener('install', () => self.skipWaiting());
  self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
  self.addEventListener('push', (event) => event.waitUntil((async () => {
    const payload = event.data.json();
    await fetch('/pushed', { method: 'POST', body: JSON.stringify(payload) });
    const { title, ...options } = payload.notification;
    await self.registration.showNotification(title, options);
  })()));
`;

/** Serves the page and its service worker. Payloads that the worker has read are added to `pushed`. */
async function servePage(pushed) {
  const server = http.createServer(async (request, response) => {
    if (request.url === '/pushed') {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      pushed.push(JSON.parse(Buffer.concat(chunks)));
      response.end();
    } else if (request.url === '/worker.js') {
      response.setHeader('Content-Type', 'text/javascript').end(serviceWorker);
    } else {
      response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>An app</title>');
    }
  });
  await new Promise((resolve) => { server.listen(0, 'localhost', resolve); });
  return server;
}

export class Firefox {
  /** `pushPort`: of the push server, where Firefox gets its messages. */
  static async start(pushPort) {
    const firefox = new this();
    firefox.pushed = []; // every payload that the service worker has read, oldest first
    firefox.home = fs.mkdtempSync(path.join(os.tmpdir(), 'firefox.'));
    try {
      firefox.server = await servePage(firefox.pushed);
      firefox.browser = await puppeteer.launch({
        browser: 'firefox', protocol: 'webDriverBiDi', executablePath: program, headless: true,
        timeout: 60_000, env: { ...process.env, HOME: firefox.home },
        extraPrefsFirefox: preferences(pushPort),
      });
      firefox.page = await firefox.browser.newPage();
      await firefox.page.goto(`http://localhost:${firefox.server.address().port}/`);
    } catch (error) {
      await firefox.stop();
      throw error;
    }
    return firefox;
  }

  async stop() {
    await this.browser?.close();
    this.server?.closeAllConnections();
    this.server?.close();
    fs.rmSync(this.home, { recursive: true, force: true });
  }

  /** Subscribes with the sender's public key, and returns what a web device has for a token. */
  subscribe(applicationServerKey) {
    return this.page.evaluate(async (key) => {
      await navigator.serviceWorker.register('/worker.js');
      const registration = await navigator.serviceWorker.ready;
      const options = { userVisibleOnly: true, applicationServerKey: key };
      return JSON.stringify(await registration.pushManager.subscribe(options));
    }, applicationServerKey);
  }

  unsubscribe() {
    return this.page.evaluate(async () => {
      const registration = await navigator.serviceWorker.ready;
      return (await registration.pushManager.getSubscription()).unsubscribe();
    });
  }

  /** The notifications that a user would see now: { title, body, tag, data }. */
  shown() {
    return this.page.evaluate(async () => {
      const registration = await navigator.serviceWorker.ready;
      const list = await registration.getNotifications();
      return list.map(({ title, body, tag, data }) => ({ title, body, tag, data }));
    });
  }
}
