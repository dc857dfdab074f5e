import test from 'ava';
import {eventually} from '#test/helper/eventually.ts';
import {withFleetLink} from '#test/helper/with-fleet-link.ts';

const upTo = (count: number): readonly number[] => Array.from({length: count}, (_, index) => index + 1);

test('an outage of 24 h: no event is lost, and only the oldest telemetry beyond the bound, which the fleet is told', async (t) => {
	const {startServer, startLink, broker} = await withFleetLink(t);
	const server = await startServer();
	await broker.kill();
	let nowMs = Date.parse('2026-11-20T00:00:00Z');
	const link = await startLink({clock: {nowMs: () => nowMs, monotonicMs: () => nowMs}, spoolBytesMax: 128 * 1024});
	for (const minute of upTo(24 * 60)) {
		nowMs += 60_000;
		link.tellTelemetry([{atMs: nowMs, values: {disk_free_bytes: minute, load_ratio: 0.5}}]);
		if (minute % 12 === 0) {
			link.tellEvent({kind: 'note', data: {number: minute / 12}});
		}
	}
	await broker.start();
	const gap = await eventually('the gap', () =>
		server.events.map(({event}) => event).find((event) => event.kind === 'telemetry-gap'),
	);
	const {fromSequence, toSequence} = gap.data;
	await eventually('all telemetry', () => server.telemetry.at(-1)?.sequence === 24 * 60);
	t.deepEqual(
		server.events.flatMap(({event}) => (event.kind === 'note' ? [event.data['number']] : [])),
		upTo(120),
	);
	t.is(fromSequence, 1);
	t.deepEqual(
		server.telemetry.map(({sequence}) => sequence),
		upTo(24 * 60).slice(toSequence),
	);
	t.true(server.telemetry.length > 500, `${server.telemetry.length} of 1440 were kept`);
});
