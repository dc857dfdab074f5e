import {randomBytes} from 'node:crypto';
import {createSocket} from 'node:dgram';
import {once} from 'node:events';
import {readdir} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {sleep} from '#appliance/time/sleep.ts';
import {createRandom} from '#demo/link/random.ts';
import {eventually} from '#test/helper/eventually.ts';
import {digestOf, withSatellite} from '#test/helper/with-satellite.ts';

test.serial('objects survive reordering, duplication, truncation and bytes that change on the way', async (t) => {
	const satellite = await withSatellite(t, {
		model: {
			seed: 21,
			lossRatio: 0.01,
			duplicateRatio: 0.05,
			delayRatio: 0.05,
			truncateRatio: 0.01,
			corruptRatio: 0.005,
		},
		fecPercent: 10,
		rateBps: 12_000_000,
	});
	const sent = [1, 2, 3, 4].map((index) => [`vod/film/seg-${index}.m4s`, randomBytes(index * 200_000)] as const);
	for (const [path, bytes] of sent) {
		await satellite.put(path, bytes);
	}
	for (const [path, bytes] of sent) {
		t.is(digestOf(await satellite.received(path)), digestOf(bytes), path);
	}
	const {duplicated, delayed, damaged} = satellite.link.stats();
	t.true(duplicated > 20 && delayed > 20 && damaged > 5, JSON.stringify({duplicated, delayed, damaged}));
});

test.serial('garbage and a foreign session on the same group harm nothing', async (t) => {
	const satellite = await withSatellite(t, {model: {seed: 22}, fecPercent: 5, rateBps: 8_000_000});
	const {sessions} = (await satellite.status()).tuned;
	const noise = createSocket('udp4').bind(0, '127.0.0.1');
	await once(noise, 'listening');
	noise.setMulticastInterface('127.0.0.1');
	t.teardown(() => noise.close());
	const random = createRandom(22);
	const bytes = randomBytes(1_000_000);
	await satellite.put('vod/film/seg-1.m4s', bytes);
	for (let index = 0; index < 2000; index += 1) {
		const {group, port} = sessions[index % sessions.length] ?? {group: '', port: 0};
		const packet = Buffer.from(randomBytes(12 + Math.floor(random() * 1400)));
		if (index % 2 === 0) {
			// LCT version 1 with 32-bit TSI and TOI of a session that is none of ours, now and then of one that is.
			packet.set([0x10, 0xa0, 0x04, index % 8, 0, 0, 0, 0, 0, 0, 0, index % 16], 0);
		}
		noise.send(packet, port, group);
		if (index % 100 === 0) {
			await sleep(5);
		}
	}
	t.is(digestOf(await satellite.received('vod/film/seg-1.m4s')), digestOf(bytes));
	const {objects, receive} = await satellite.status();
	t.true(receive.malformedPackets > 0);
	t.is(objects.failed, 0);
});

test.serial('an object larger than the cache is not received, and costs the others nothing', async (t) => {
	const satellite = await withSatellite(t, {
		model: {seed: 23, lossRatio: 0.01},
		rateBps: 12_000_000,
		cache: {budgetBytes: 1_500_000},
	});
	await satellite.put('vod/huge.bin', randomBytes(1_600_000));
	const sent = [1, 2, 3].map((index) => [`vod/film/seg-${index}.m4s`, randomBytes(400_000)] as const);
	for (const [path, bytes] of sent) {
		await satellite.put(path, bytes);
	}
	for (const [path, bytes] of sent) {
		t.is(digestOf(await satellite.received(path)), digestOf(bytes), path);
	}
	const {cache} = await satellite.status();
	t.true(cache.bytes <= cache.budgetBytes);
	await eventually('no part of it lies about', async () => {
		const incoming = await readdir(join(satellite.stateDirectory, 'stb', 'cache', 'incoming'));
		return incoming.length === 0;
	});
});
