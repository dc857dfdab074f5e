import test from 'ava';
import {CodedError, errorCode, errorMessage, hasCode} from '#appliance/error/coded-error.ts';

test('a coded error keeps its code, its cause and its facts', (t) => {
	const cause = new Error('disk');
	const error = new CodedError('STB_X', {message: 'It broke.', cause, details: {path: '/a'}, retryable: true});
	t.like(error, {code: 'STB_X', cause, details: {path: '/a'}, retryable: true, message: 'It broke.'});
	t.true(error instanceof Error);
});

test('an error without a cause has no such property', (t) => {
	t.false('cause' in new CodedError('STB_X', {message: 'x'}));
});

test('the code of anything thrown is found, or is absent', (t) => {
	t.is(errorCode(Object.assign(new Error('x'), {code: 'ENOENT'})), 'ENOENT');
	for (const thrown of [undefined, null, 'ENOENT', 7, {}, {code: 7}, new Error('x')]) {
		t.is(errorCode(thrown), undefined);
	}
	t.true(hasCode({code: 'A'}, 'B', 'A'));
	t.false(hasCode({}, 'A'));
});

test('anything thrown has a message', (t) => {
	t.deepEqual([new Error('x'), 'y', undefined, 7].map(errorMessage), ['x', 'y', 'undefined', '7']);
});
