import {randomBytes} from 'node:crypto';
import test from 'ava';
import {headendStatusSchema} from '#appliance/contract/headend-status-schema.ts';
import {digestOf, withSatellite} from '#test/helper/with-satellite.ts';

/** On a machine that is busy with other tests a pause of the sender is no end of a transmission. */
const patient = {objectIdleMs: 8000};
/** 8PSK 3/4 with pilots gives 13 Mbit/s of it. */
const symbolRateKsps = 6000;

const arrives = test.macro<['mpe' | 'gse']>({
	exec: async (t, form) => {
		const satellite = await withSatellite(t, {
			model: {seed: 5},
			...{receive: patient, signal: {form, symbolRateKsps}, popNode: false},
		});
		const objects = [1_900_001, 700, 1, 0].map(
			(size, index) => [`vod/film/part-${index}.bin`, randomBytes(size)] as const,
		);
		for (const [path, bytes] of objects) {
			await satellite.put(path, bytes);
		}
		for (const [path, bytes] of objects) {
			t.is(digestOf(await satellite.received(path)), digestOf(bytes), path);
		}
		const {objects: received, repair} = await satellite.status();
		t.is(received.failed, 0);
		t.is(repair.requests, 0, 'all of it came by the signal');
		const damage = Object.entries(satellite.dish?.stats().damage ?? {}).filter(([, count]) => count > 0);
		t.deepEqual(damage, []);
		const {link} = headendStatusSchema.parse(await (await fetch(`${satellite.headendUrl}/status`)).json());
		t.is(link?.form, form);
		t.is(link?.output?.droppedDatagrams, 0, 'the plan keeps within what the transponder carries');
		t.is(satellite.dish?.contents().carrier, form === 'mpe' ? 'ts' : 'bbframe');
	},
	title: (_, form) => `objects arrive byte for byte from the catalogue through ${form.toUpperCase()} to the set-top`,
});

test.serial(arrives, 'mpe');
test.serial(arrives, 'gse');
