import {once} from 'node:events';
import {connect} from 'node:net';
import test from 'ava';
import {readSmallBody} from '#ota/fleet/device/read-small-body.ts';
import {withHttpApp} from '#test/helper/with-http-app.ts';

test('a body that drips is refused in time, however long it promises to become', async (t) => {
	const url = await withHttpApp(t, async (context) => {
		context.body = await readSmallBody(context.req, {bytesMax: 1000, timeoutMs: 300});
	});
	const socket = connect({host: '127.0.0.1', port: Number(new URL(url).port)});
	t.teardown(() => void socket.destroy());
	await once(socket, 'connect');
	socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n');
	const drip = setInterval(() => socket.write('a'), 50);
	t.teardown(() => clearInterval(drip));
	const [answer] = (await once(socket, 'data')) as [Buffer];
	t.regex(answer.toString(), /^HTTP\/1\.1 408 /u);
});

test('a body of the allowed size is read, and one byte more is refused', async (t) => {
	const url = await withHttpApp(t, async (context) => {
		context.body = String((await readSmallBody(context.req, {bytesMax: 1000})).length);
	});
	t.is(await (await fetch(url, {method: 'POST', body: 'x'.repeat(1000)})).text(), '1000');
	t.is((await fetch(url, {method: 'POST', body: 'x'.repeat(1001)})).status, 413);
});
