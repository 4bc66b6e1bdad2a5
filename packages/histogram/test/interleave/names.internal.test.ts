/**
 * Goal: the scenarios that the documentation names as proof exist. Method: everything in backticks that begins as the
 * name of a scenario does is one, or as many as an ellipsis stands for.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { proofs } from './proofs.ts';

const source = new URL('../../src/', import.meta.url);
const files = [
  ...readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => new URL(file, source)),
  new URL('../../README.md', import.meta.url),
  new URL('../../../../docs/guides/histogram.md', import.meta.url),
];
const pattern = /`([GRS]\d(?:, [GRS]\d)*: [^`]*)`/g;

/** The names in a text, over the ends of lines and of comment lines. */
const namesIn = (text: string): string[] =>
  [...text.replace(/\s*\n\s*(?:\* )?/g, ' ').matchAll(pattern)].map((match) => match[1]!);

test('each scenario that the documentation names exists', () => {
  const named = files.flatMap((file) => namesIn(readFileSync(file, 'utf8')));
  expect(named.length).toBeGreaterThan(15);
  const unknown = named.filter((name) => {
    const beginning = `histogram ${name.replace(/\.\.\.$/, '')}`;
    return !proofs.some(
      (proof) =>
        proof.name === beginning || (name.endsWith('...') && proof.name.startsWith(beginning)),
    );
  });
  expect(unknown).toEqual([]);
});
