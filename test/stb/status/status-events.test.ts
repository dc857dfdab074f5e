import test from 'ava';
import {createStatusEvents} from '#stb/status/status-events.ts';

test('a status that cannot be read ends the streams and takes nothing else down', async (t) => {
	let broken = false;
	const events = createStatusEvents({
		read: () => {
			if (broken) {
				throw new Error('no status');
			}
			return {a: 1};
		},
	});
	t.teardown(async () => await events[Symbol.asyncDispose]());
	const watcher = events.watch();
	t.is(String(watcher?.read()), 'data: {"a":1}\n\n');
	broken = true;
	await new Promise((resolve) => watcher?.once('close', resolve));
	t.throws(() => events.watch());
	broken = false;
	t.truthy(events.watch(), 'pages that come again are told again');
});
