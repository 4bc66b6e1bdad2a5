/**
 * Goal: the scenarios that the documentation names as proof exist. Method: everything in backticks or quotation marks
 * that begins as the name of a scenario does is the beginning of one.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { proofs, racyProofs } from './proofs.ts';

const source = new URL('../../src/', import.meta.url);
const files = [
  ...readdirSync(source).map((file) => new URL(file, source)),
  new URL('../../README.md', import.meta.url),
  new URL('../../../../docs/guides/ringbuffer.md', import.meta.url),
];
const pattern = /["`]((?:SPSC |(?:slots|lanes|queue|broadcast), |lanes in )[^"`]*)["`]/g;

/** The names in a text, over the ends of lines and of comment lines. */
const namesIn = (text: string): string[] =>
  [...text.replace(/\s*\n\s*(?:\* )?/g, ' ').matchAll(pattern)].map((match) => match[1]!);

test('each scenario that the documentation names exists', () => {
  const names = [...proofs, ...racyProofs].map(({ name }) => name);
  const named = files.flatMap((file) => namesIn(readFileSync(file, 'utf8')));
  expect(named.length).toBeGreaterThan(40);
  expect(named.filter((name) => !names.some((other) => other.startsWith(name)))).toEqual([]);
});
