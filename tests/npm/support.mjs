// What the tests share: the repository, the program, a scratch folder.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository. */
export const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** The program: `GUICHET` in the environment, else the development build (`make npm` builds it). */
export const program = process.env.GUICHET
  ?? join(process.env.CARGO_TARGET_DIR ?? join(repository, 'target'), 'debug', 'guichet');

/** What the program prints, run in the repository; throws when it fails. */
export function guichet(...words) {
  return execFileSync(program, words, { cwd: repository, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
}

/** A folder that goes away when `use` is done. */
export async function scratch(use) {
  const folder = mkdtempSync(join(tmpdir(), 'guichet-npm-'));
  try {
    return await use(folder);
  } finally {
    try {
      rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    } catch {
      // A browser's last process may still write while it ends; what it leaves in the system's folder proves nothing.
    }
  }
}
