// Shows that Prometheus reads what toPrometheusText writes: serves a page of two hosts' latencies, lets Debian's
// Prometheus scrape it, and asks it for percentiles over both. Needs prometheus and promtool:
//
//   apt-get install --no-install-recommends prometheus
//   node --conditions=@millrace/source scripts/check-prometheus.mjs
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Histogram } from '@millrace/histogram';
import { LATENCY_SECONDS, toOpenMetrics, toPrometheusText } from '@millrace/histogram/export';

const hosts = ['a', 'b'].map((host, i) => {
  const histogram = new Histogram();
  for (let n = 1; n <= 10_000; n++) histogram.record(n * 1000 * (i + 1));
  return { labels: { host }, histogram };
});
const both = hosts[0].histogram.copy();
both.add(hosts[1].histogram);
const name = 'millrace_latency_seconds';
const page = toPrometheusText(hosts, { name, help: 'Time from read to sink.' });

const lint = (text) =>
  execFileSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
lint(page);
lint(toOpenMetrics(hosts, { name, unit: 'seconds', help: 'Time from read to sink.' }));
console.log('promtool finds nothing to say about either text');

const server = createServer((_, response) => {
  response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' });
  response.end(page);
});
await once(server.listen(0, '127.0.0.1'), 'listening');
const directory = mkdtempSync(join(tmpdir(), 'prometheus-'));
const probe = createServer();
await once(probe.listen(0, '127.0.0.1'), 'listening');
const { port } = probe.address();
probe.close();
writeFileSync(
  join(directory, 'prometheus.yml'),
  `scrape_configs:\n- job_name: millrace\n  scrape_interval: 1s\n  static_configs:\n  - targets: ['127.0.0.1:${server.address().port}']\n`,
);
const prometheus = spawn(
  'prometheus',
  [
    `--config.file=${join(directory, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ],
  { stdio: 'ignore' },
);
try {
  for (const percentile of [50, 99]) {
    const query = `histogram_quantile(${percentile / 100}, sum by (le) (${name}_bucket))`;
    let answer;
    for (let attempt = 0; attempt < 100 && answer === undefined; attempt++) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`;
      const body = await fetch(url)
        .then((response) => response.json())
        .catch(() => undefined);
      answer = body?.data?.result?.[0]?.value?.[1];
    }
    const exact = both.percentile(percentile) / 1e9;
    const high = LATENCY_SECONDS.find((bound) => bound >= exact);
    const low = LATENCY_SECONDS[LATENCY_SECONDS.indexOf(high) - 1];
    const inside = Number(answer) >= low && Number(answer) <= high;
    console.log(
      `p${percentile} of both hosts: Prometheus ${answer} s, exactly ${exact} s, bounds ${low} to ${high}`,
    );
    if (!inside) process.exitCode = 1;
  }
} finally {
  prometheus.kill();
  await once(prometheus, 'exit');
  server.closeAllConnections();
  server.close();
  rmSync(directory, { recursive: true });
}
