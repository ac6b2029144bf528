#!/usr/bin/env node
// The program under the name of a kubectl plugin. An older Node.js would fail at its syntax, with no word of why.
if (Number.parseInt(process.versions.node, 10) < 24) {
  process.stderr.write(
    `error: kubectl toolset needs Node.js 24 or newer, and this is ${process.versions.node}\n`,
  );
  process.exitCode = 1;
} else {
  await import('./dynamic-toolset.js');
}
