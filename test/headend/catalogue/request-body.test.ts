import {once} from 'node:events';
import {connect} from 'node:net';
import test from 'ava';
import {listen} from '#appliance/http/listen.ts';
import {requestBody} from '#headend/catalogue/request-body.ts';

test('a sender that falls silent is cut off, and its reader hears of it', async (t) => {
	const {promise, resolve} = Promise.withResolvers<unknown>();
	const server = await listen({
		host: '127.0.0.1',
		port: 0,
		handler: (request) => {
			const read = async (): Promise<number> => {
				let bytes = 0;
				for await (const chunk of requestBody(request, {idleMs: 200})) {
					bytes += chunk.length;
				}
				return bytes;
			};
			read().then(resolve, resolve);
		},
	});
	t.teardown(() => server[Symbol.asyncDispose]());
	const socket = connect({host: '127.0.0.1', port: server.port});
	socket.on('error', () => undefined);
	socket.resume();
	await once(socket, 'connect');
	socket.write('PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nsome');
	const closed = once(socket, 'close');
	t.true((await promise) instanceof Error);
	await closed;
});
