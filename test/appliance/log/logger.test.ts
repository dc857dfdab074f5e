import test from 'ava';
import {createLogger} from '#appliance/log/logger.ts';

const logged = (log: (logger: ReturnType<typeof createLogger>) => void): string => {
	let text = '';
	const write = (line: string): void => {
		text += line;
	};
	log(createLogger({name: 'test', level: 'info'}, {write}));
	return text;
};

test('a line is JSON with a name, an ISO time and the facts', (t) => {
	const line = JSON.parse(logged((logger) => logger.info({port: 7}, 'listening'))) as Record<string, unknown>;
	t.like(line, {name: 'test', port: 7, msg: 'listening'});
	t.regex(String(line['time']), /^\d{4}-\d\d-\d\dT/);
});

test('secrets never reach the log', (t) => {
	const text = logged((logger) => logger.info({box: {token: 'hush'}, headers: {authorization: 'hush'}}, 'x'));
	t.notRegex(text, /hush/);
});

test('what is below the level is not written', (t) => {
	t.is(
		logged((logger) => logger.debug('x')),
		'',
	);
});
