// Runs a page in the machine's Chromium. The page is served with the packages' browser builds and what the test hands
// it, and posts one JSON answer back; no driver is needed for that.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scratch } from './support.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
];

/** What `page` (a file of this folder) posts to `/answer`, given `data` at `/data.json`. */
export function inChromium(page, data, seconds = 120) {
  return scratch((profile) => new Promise((resolve, reject) => {
    let browser;
    const finish = (settle, value) => {
      clearTimeout(timer);
      server.close();
      server.closeAllConnections?.();
      browser?.once('exit', () => settle(value));
      browser?.kill();
    };
    const timer = setTimeout(() => finish(reject, new Error(`${page} did not answer in ${seconds} s`)), seconds * 1000);
    const server = createServer((request, response) => {
      if (request.method === 'POST') {
        let body = '';
        request.on('data', (part) => { body += part; });
        request.on('end', () => {
          response.end();
          finish(resolve, JSON.parse(body));
        });
        return;
      }
      const path = normalize(new URL(request.url, 'http://x').pathname);
      try {
        const file = path === '/data.json' ? JSON.stringify(data) : readFileSync(join(here, path));
        const kind = path.endsWith('.html') ? 'text/html' : path.endsWith('.json') ? 'application/json' : 'text/javascript';
        response.setHeader('content-type', `${kind}; charset=utf-8`);
        response.end(file);
      } catch {
        response.statusCode = 404;
        response.end();
      }
    });
    server.listen(0, '127.0.0.1', () => {
      const address = `http://127.0.0.1:${server.address().port}/${page}`;
      browser = spawn('chromium', [...FLAGS, `--user-data-dir=${profile}`, address], { stdio: 'ignore' });
      browser.once('error', (error) => finish(reject, error));
    });
  }));
}
