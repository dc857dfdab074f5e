import {randomBytes} from 'node:crypto';
import {once} from 'node:events';
import {writeFile} from 'node:fs/promises';
import type {AddressInfo} from 'node:net';
import {connect, createServer, type Socket} from 'node:net';
import {join} from 'node:path';
import test from 'ava';
import {pushFile} from '#cli/catalogue/push-file.ts';
import {recordingSender} from '#test/helper/recording-sender.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withHeadend} from '#test/helper/with-headend.ts';

test('a push over a line that breaks goes on where it stopped', async (t) => {
	const {url} = await withHeadend(t, {openSender: recordingSender().open});
	const filePath = join(await withDirectory(t), 'file.bin');
	const bytes = randomBytes(3_000_000);
	await writeFile(filePath, bytes);
	// A relay that cuts the first two long connections after a megabyte each.
	let cuts = 0;
	let relayedBytes = 0;
	const open = new Set<Socket>();
	const relay = createServer((client) => {
		const server = connect(Number(new URL(url).port), '127.0.0.1');
		let bytesHere = 0;
		open.add(client).add(server);
		client.on('error', () => undefined);
		server.on('error', () => undefined);
		server.pipe(client);
		client.on('data', (chunk) => {
			bytesHere += chunk.length;
			relayedBytes += chunk.length;
			server.write(chunk);
			if (bytesHere > 1_000_000 && cuts < 2) {
				cuts += 1;
				client.destroy();
				server.end();
			}
		});
		client.on('end', () => server.end());
	});
	relay.listen(0, '127.0.0.1');
	await once(relay, 'listening');
	t.teardown(() => {
		for (const socket of open) {
			socket.destroy();
		}
		relay.close();
	});
	const {port} = relay.address() as AddressInfo;
	let lastBytes = 0;
	const answer = await pushFile({
		filePath,
		url: `http://127.0.0.1:${port}/catalogue/vod/file.bin`,
		headers: {'Streamverse-Priority': 'low'},
		signal: AbortSignal.timeout(60_000),
		onProgress: (sentBytes) => {
			lastBytes = sentBytes;
		},
	});
	t.is(answer.kind, 'created');
	t.is(cuts, 2);
	t.is(lastBytes, bytes.length);
	t.true(relayedBytes < 2 * bytes.length, 'what had arrived was not sent again');
	const served = Buffer.from(await (await fetch(`${url}/catalogue/vod/file.bin`)).arrayBuffer());
	t.true(served.equals(bytes));
});

test('a refusal is not tried again and says why', async (t) => {
	const {url} = await withHeadend(t, {openSender: recordingSender().open});
	const filePath = join(await withDirectory(t), 'file.bin');
	await writeFile(filePath, 'x');
	await t.throwsAsync(
		pushFile({
			filePath,
			url: `${url}/catalogue/live/x`,
			headers: {},
			signal: AbortSignal.timeout(20_000),
			onProgress: () => undefined,
		}),
		{code: 'CLI_PUSH_FAILED', message: /signalling\/ and live\//u},
	);
});
