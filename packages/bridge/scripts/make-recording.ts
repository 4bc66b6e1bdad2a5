/**
 * Makes recordings/demo.millrace.gz from a real tmux: `npm run make:recording -w packages/bridge`.
 *
 * The demo's four panes, with a flood slow enough that the file stays under 200 KB.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { LivePanes } from '../src/cli/demo/live-panes.ts';
import { openPrivateServer } from '../src/cli/private-server.ts';

const bytesMax = 200_000;
const flood = 'i=1; while :; do seq $i $((i+400)); i=$((i+400)); sleep 0.02; done';

const server = openPrivateServer('tmux');
const raw = `${server.directory}/raw`;
try {
  const panes = new LivePanes(server, 'tmux', new AbortController().signal, { flood });
  const watch = await panes.watch(false, raw);
  await sleep(4000);
  watch.echo.stop();
  const { bytes, records } = watch.session.stats();
  await watch.session.close();
  const file = gzipSync(readFileSync(raw), { level: 9 });
  if (file.length > bytesMax) throw new RangeError(`too large: ${file.length} bytes`);
  const target = new URL('../recordings/demo.millrace.gz', import.meta.url);
  rmSync(target, { force: true });
  writeFileSync(target, file);
  console.log(`${file.length} bytes for ${bytes} bytes of tmux, ${records} records`);
} finally {
  await server.close();
}
