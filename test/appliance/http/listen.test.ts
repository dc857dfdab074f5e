import test from 'ava';
import {listen} from '#appliance/http/listen.ts';

test('a connection that cannot be accepted does not end the process', async (t) => {
	await using listener = await listen({handler: (_, response) => void response.end('x'), host: '127.0.0.1', port: 0});
	t.notThrows(() => listener.server.emit('error', Object.assign(new Error('accept ENFILE'), {code: 'ENFILE'})));
	t.is(await (await fetch(listener.url)).text(), 'x');
});

test('a port that is taken is told with a code', async (t) => {
	await using listener = await listen({handler: () => undefined, host: '127.0.0.1', port: 0});
	await t.throwsAsync(listen({handler: () => undefined, host: '127.0.0.1', port: listener.port}), {
		code: 'APPLIANCE_LISTEN_FAILED',
	});
});
