import {once} from 'node:events';
import {connect} from 'node:net';
import test from 'ava';
import {cataloguePageSchema} from '#appliance/contract/catalogue-schema.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withHeadend} from '#test/helper/with-headend.ts';

const segments = 30;

test('takes every segment of an encoder that hangs up without waiting for the answer, as ffmpeg does', async (t) => {
	const {url} = await withHeadend(t);
	const {port, hostname} = new URL(url);
	for (let index = 0; index < segments; index += 1) {
		const socket = connect(Number(port), hostname);
		socket.on('error', () => undefined);
		await once(socket, 'connect');
		socket.write(`PUT /ingest/abrupt/seg-${index}.m4s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`);
		for (let part = 0; part < 3; part += 1) {
			socket.write(`7530\r\n${'x'.repeat(30_000)}\r\n`);
		}
		socket.write('0\r\n\r\n', () => socket.destroy());
		await once(socket, 'close');
	}
	const objects = await eventually('every segment is in the catalogue', async () => {
		const page = cataloguePageSchema.parse(await (await fetch(`${url}/catalogue`)).json());
		const live = page.objects.filter(({path}) => path.startsWith('live/abrupt/'));
		return live.length === segments && live;
	});
	t.true(objects.every(({sizeBytes}) => sizeBytes === 90_000));
});
