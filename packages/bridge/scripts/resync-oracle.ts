/**
 * Runs the resync oracle for long: `node --conditions=@millrace/source scripts/resync-oracle.ts [ROUNDS] [SEED]
 * [--worker] [--floods N] [--kinds a,b] [--gap] [--seconds N] [--verbose]`. Exit status 1 if a resync was wrong and didn't say so.
 */
import { parseArgs } from 'node:util';
import { runOracle } from '../test/resync-oracle.ts';
import { testServer } from '../test/support/tmux.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    worker: { type: 'boolean', default: false },
    floods: { type: 'string', default: '0' },
    kinds: { type: 'string', default: 'all' },
    gap: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '3600' },
    verbose: { type: 'boolean', default: false },
  },
});
const rounds = Number(positionals[0] ?? 1000);
const seed = Number(positionals[1] ?? 1);
const server = testServer();
// Ended from outside: the server and the producer in it must not go on.
process.once('SIGTERM', () => {
  server.close();
  process.exit(2);
});
try {
  const result = await runOracle(server, {
    seed,
    rounds,
    worker: values.worker,
    floods: Number(values.floods),
    kinds: values.kinds,
    deadline: Date.now() + Number(values.seconds) * 1000,
    cause: values.gap ? 'gap' : 'skip',
    ...(values.verbose ? { log: (line: string) => console.error(line) } : {}),
  });
  console.log(JSON.stringify(result, undefined, 2));
  process.exitCode = result.wrong === 0 ? 0 : 1;
} finally {
  server.close();
}
