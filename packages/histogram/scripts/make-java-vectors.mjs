// Writes test/fixtures/java-vectors.json: encodings that HdrHistogram for Java wrote, with what it finds in them, and
// encodings that we wrote, with what it finds in those. Needs javac and Debian's libhdrhistogram-java:
//
//   apt-get install libhdrhistogram-java default-jdk-headless
//   node --conditions=@millrace/source scripts/make-java-vectors.mjs
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ourLog, ours } from '../test/support/our-encodings.ts';

const jar = '/usr/share/java/hdrhistogram.jar';
const directory = mkdtempSync(join(tmpdir(), 'java-vectors-'));
const java = (parameters, input) =>
  execFileSync('java', ['-cp', `${directory}:${jar}`, 'JavaVectors', ...parameters], {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

try {
  const source = fileURLToPath(new URL('./JavaVectors.java', import.meta.url));
  execFileSync('javac', ['-cp', jar, '-d', directory, source]);
  const byJava = java(['make']);
  const encodings = [...ours()];
  const read = java(['read'], `${encodings.map(({ base64 }) => base64).join('\n')}\n`);
  const log = join(directory, 'ours.hlog');
  writeFileSync(log, ourLog());
  const readLog = java(['read-log', log]);
  const vectors = {
    about:
      'Written by scripts/make-java-vectors.mjs with HdrHistogram for Java 2.1.11; do not edit.',
    byJava,
    byUs: encodings.map((encoding, index) => ({ ...encoding, read: read[index] })),
    ourLog: { text: ourLog(), read: readLog },
  };
  const file = new URL('../test/fixtures/java-vectors.json', import.meta.url);
  writeFileSync(file, `${JSON.stringify(vectors, null, 1)}\n`);
  console.log(`${byJava.length} vectors by Java, ${encodings.length} by us`);
} finally {
  rmSync(directory, { recursive: true });
}
