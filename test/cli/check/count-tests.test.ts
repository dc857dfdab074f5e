import test from 'ava';
import {countAva, countCtest} from '#cli/check/count-tests.ts';

test('ava’s summary is counted', (t) => {
	t.deepEqual(countAva('  ─\n\n  12 tests passed\n'), {passed: 12, failed: 0});
	t.deepEqual(countAva('\n  1 test failed\n  2 uncaught exceptions\n\n  40 tests passed'), {passed: 40, failed: 3});
	t.deepEqual(countAva('  1 test remained pending after a timeout\n'), {passed: 0, failed: 1});
	t.deepEqual(countAva(''), {passed: 0, failed: 0});
});

test('a title that speaks of tests is not counted', (t) => {
	t.deepEqual(countAva('  ✔ my › 3 tests passed by (1s)\n  1 test passed\n'), {passed: 1, failed: 0});
});

test('ctest’s summary is counted', (t) => {
	t.deepEqual(countCtest('100% tests passed, 0 tests failed out of 7\n'), {passed: 7, failed: 0});
	t.deepEqual(countCtest('71% tests passed, 2 tests failed out of 7\n'), {passed: 5, failed: 2});
	t.deepEqual(countCtest('No tests were found!!!'), {passed: 0, failed: 0});
});
