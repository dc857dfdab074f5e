import test from 'ava';
import {sampleIntervalMsMax} from '#appliance/contract/fleet/sample-interval.ts';
import {createSilenceWatch, silentAfterMs} from '#ota/fleet/ingest/watch-silence.ts';
import {writeBatch} from '#ota/fleet/ingest/write-batch.ts';
import {deviceId, enrolBoxes, sampleTelemetry} from '#test/helper/sample-box.ts';
import {withFleetContext} from '#test/helper/with-fleet-context.ts';
import {databaseEngines} from '#test/helper/with-fleet-database.ts';

const box = deviceId('box-1');
const stepMs = 60_000;

for (const engine of databaseEngines) {
	test(`${engine}: a box that died with its broker is found silent, and a word of it brings it back`, async (t) => {
		const context = await withFleetContext(t, engine);
		const {database} = context.store;
		await enrolBoxes(database, ['box-1']);
		const connected = new Set<() => void>();
		let isConnected = true;
		const broker = {
			isConnected: () => isConnected,
			onConnected: (listener: () => void) => {
				connected.add(listener);
				return () => connected.delete(listener);
			},
		};
		using watch = createSilenceWatch({...context, database, broker});
		const write = (...messages: Parameters<typeof writeBatch>[1]) => writeBatch({...context, parts: []}, messages);
		const online = (sessionId: string) => ({
			kind: 'presence' as const,
			box,
			presence: {version: 1 as const, state: 'online' as const, bootId: 'boot-1', sessionId, sinceMs: 1},
		});
		const presence = async () =>
			(await database.selectFrom('box').select('presence').executeTakeFirstOrThrow()).presence;
		const pass = async (ms: number): Promise<number> => {
			let found = 0;
			for (let passed = 0; passed < ms; passed += stepMs) {
				context.advance(stepMs);
				found += (await watch.turn()).length;
			}
			return found;
		};

		await write(online('s1'));
		await watch.turn();
		t.is(await pass(silentAfterMs - stepMs), 0);
		isConnected = false;
		t.is(await pass(silentAfterMs), 0, 'who hears nothing knows nothing');
		isConnected = true;
		t.is(await pass(silentAfterMs - stepMs), 0, 'and listens anew');
		t.is(await pass(stepMs), 1);
		t.is(await presence(), 'offline');
		await write(online('s1'));
		t.is(await presence(), 'offline', 'what the broker retained is no word');
		await write({kind: 'telemetry', box, telemetry: sampleTelemetry(1)});
		t.is(await presence(), 'online');
		t.is(await pass(silentAfterMs), 1);
		await write(online('s2'));
		t.is(await presence(), 'online');
		context.advance(silentAfterMs);
		t.is((await watch.turn()).length, 0, 'a server that slept has messages to write first');
		await pass(silentAfterMs - stepMs);
		for (const listener of connected) {
			listener();
		}
		t.is(await pass(silentAfterMs), 0, 'a new connection hears anew');
	});
}

test('a box that measures itself as rarely as it may does not count as silent for a sample that is lost', (t) => {
	t.true(silentAfterMs > 2 * sampleIntervalMsMax);
});
