// The README's user guide, run as it stands: its commands are one script, and what it says after "# →" must be in
// what the commands before it have printed.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { programs, root, run } from './stack.mjs';

const stackScript = path.join(root, 'scripts/stack');

/** The indented lines of the section. */
function commandsOf(readme) {
  const [, section] = readme.split(/^## User guide$/m);
  assert.ok(section, 'the README has a user guide');
  return section.split(/^## /m)[0].split('\n').filter((line) => line.startsWith('    ')).map((line) => line.slice(4));
}

/** A script that stops at the first command that fails, and at the first expectation that is not met. */
function scriptOf(commands, dir) {
  const lines = ['set -Eeuo pipefail', `cd ${root}`, `printed=${dir}/printed`,
    'exec 3>&1', 'trap \'{ echo "failed: $BASH_COMMAND"; cat "$printed"; } >&3\' ERR',
    'expect() { grep -qF -- "$1" "$printed" || { echo "not in the answer: $1"; cat "$printed"; exit 1; }; }'];
  let expectations = 0;
  let block = [];
  for (const line of commands) {
    const wanted = line.match(/^# → (.*)$/)?.[1];
    if (wanted === undefined) {
      block.push(line);
      continue;
    }
    expectations++;
    if (block.length) lines.push('{', ...block, '} >"$printed" 2>&1');
    lines.push(`expect '${wanted.replaceAll("'", "'\\''")}'`);
    block = [];
  }
  lines.push(...block);
  return { script: lines.join('\n'), expectations };
}

let dir;
before(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'ne2e.'));
  const started = await run(stackScript, ['start', dir]);
  assert.equal(started.code, 0, started.stderr);
});
after(() => run(stackScript, ['stop', dir]));

test('What the user guide shows works as it says.', async () => {
  // The stack is up already, in a directory of its own, and its packages and programs are where the tests have them.
  const commands = commandsOf(fs.readFileSync(path.join(root, 'README.md'), 'utf8'))
    .filter((line) => line !== './dev up' && !line.startsWith('npm ci'))
    .map((line) => line.replaceAll('build/up', dir).replaceAll('build/release', programs));
  const { script, expectations } = scriptOf(commands, dir);
  assert.ok(expectations > 15, `it expects something: ${expectations}`);
  const { code, stdout, stderr } = await run('bash', ['-c', script]);
  assert.equal(code, 0, `${stdout}\n${stderr}`);
});
