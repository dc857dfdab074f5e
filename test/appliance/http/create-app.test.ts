import test from 'ava';
import {CodedError} from '#appliance/error/coded-error.ts';
import {createApp} from '#appliance/http/create-app.ts';
import {listen} from '#appliance/http/listen.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {silentLogger} from '#appliance/log/logger.ts';

const logged = test.macro<[Error, {readonly status: number; readonly level: string}]>({
	exec: async (t, error, {status, level}) => {
		const levels: string[] = [];
		const note = (name: string) => () => {
			levels.push(name);
		};
		const logger = Object.assign(Object.create(silentLogger()) as Logger, {
			...{debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error')},
		});
		const app = createApp({logger});
		app.use(() => {
			throw error;
		});
		await using listener = await listen({handler: app.callback(), host: '127.0.0.1', port: 0});
		const response = await fetch(listener.url);
		t.is(response.status, status);
		t.is(response.headers.get('content-type'), 'application/problem+json');
		t.deepEqual(levels, [level]);
	},
	title: (what) => `${what}`,
});

const coded = (status: number) => new CodedError('STB_ORIGIN_NONE', {message: 'No.', details: {status}});

test('what a client caused is for debugging', logged, new CodedError('HTTP_NOT_FOUND', {message: 'No.'}), {
	...{status: 404, level: 'debug'},
});
test('an origin that is away is an operating condition', logged, coded(504), {status: 504, level: 'debug'});
test('a box that is busy is one too', logged, coded(503), {status: 503, level: 'debug'});
test('a full disk is worth a warning', logged, coded(507), {status: 507, level: 'warn'});
test('what nobody has foreseen needs a person', logged, new TypeError('x is not a function'), {
	...{status: 500, level: 'error'},
});
test('a coded failure inside the box does too', logged, coded(500), {status: 500, level: 'error'});
