import TestSequencer from '@jest/test-sequencer'

/**
 * The slow suites before the fast ones, each half in jest's own order: the last suite of a run is short then, and no worker is
 * done long before the other. Jest's order alone is by the length of files on a machine that has run nothing yet.
 */
export default class LongestFirst extends TestSequencer {
  sort(tests) {
    const [slow, fast] = [tests.filter(isSlow), tests.filter((test) => !isSlow(test))]
    return [...super.sort(slow), ...super.sort(fast)]
  }
}

const isSlow = ({ path }) => path.endsWith('.e2e.ts')
