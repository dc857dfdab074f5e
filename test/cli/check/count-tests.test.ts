import test from 'ava';
import {countAva, countCtest} from '#cli/check/count-tests.ts';

test('ava’s summary is counted', (t) => {
	t.like(countAva('  ─\n\n  12 tests passed\n'), {passed: 12, failed: 0});
	t.like(countAva('\n  1 test failed\n  2 uncaught exceptions\n\n  40 tests passed'), {passed: 40, failed: 3});
	t.like(countAva('  1 test remained pending after a timeout\n'), {passed: 0, failed: 1});
	t.deepEqual(countAva(''), {passed: 0, failed: 0, failures: []});
});

test('what failed in ava is named', (t) => {
	const output = `  ✔ flow › air › it flies (1s)
  - [skip] flow › air › it sinks
  ✘ [fail]: flow › nginx › it serves Rejected promise returned by test
    ℹ a › b
  ─

  flow › nginx › it serves

  Rejected promise returned by test. Reason:

  › file:///somewhere/test/flow/nginx.test.ts:3:4

  ─

  1 test failed
`;
	t.deepEqual(countAva(output), {passed: 0, failed: 1, failures: ['flow › nginx › it serves']});
});

test('a title that speaks of tests is not counted', (t) => {
	t.like(countAva('  ✔ my › 3 tests passed by (1s)\n  1 test passed\n'), {passed: 1, failed: 0});
});

test('ctest’s summary is counted', (t) => {
	t.deepEqual(countCtest('100% tests passed, 0 tests failed out of 7\n'), {passed: 7, failed: 0});
	t.deepEqual(countCtest('71% tests passed, 2 tests failed out of 7\n'), {passed: 5, failed: 2});
	t.deepEqual(countCtest('No tests were found!!!'), {passed: 0, failed: 0});
});
