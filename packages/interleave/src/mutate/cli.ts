#!/usr/bin/env node
/**
 * `interleave-mutate [--deep] [--jobs N] [--only FILE[:LINE]] [--verbose] GATE...`: runs mutation gates one after
 * another and prints their reports. Exits with 0 if all passed, 1 if one didn't, 2 if one couldn't run.
 */
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { type MutantResult, runGate } from '../mutate.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    deep: { type: 'boolean', default: false },
    jobs: { type: 'string' },
    only: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
});

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const complain = (text: string): void => void process.stderr.write(`${text}\n`);

const show = ({ file, mutant, status, reason }: MutantResult): void => {
  const { line, operator, after } = mutant;
  print(`${status.padEnd(10)} ${file}:${line} ${operator}: ${after}\n           ${reason}`);
};

if (positionals.length === 0) {
  complain('usage: interleave-mutate [--deep] [--jobs N] [--only FILE[:LINE]] [--verbose] GATE...');
  process.exitCode = 2;
}
for (const path of positionals) {
  try {
    const result = await runGate(pathToFileURL(path), {
      deep: values.deep,
      ...(values.jobs === undefined ? {} : { jobs: Number(values.jobs) }),
      ...(values.only === undefined ? {} : { only: values.only }),
      ...(values.verbose ? { onResult: show } : {}),
    });
    print(String(result));
    if (!result.passed) process.exitCode ||= 1;
  } catch (error) {
    complain(`${path}: ${(error as Error).message}`);
    process.exitCode = 2;
  }
}
