import {join} from 'node:path';
import test from 'ava';
import {createIdentifierRegistry} from '#headend/carousel/identifier-registry.ts';
import {openHeadendDatabase} from '#headend/catalogue/catalogue-database.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

test('a TOI never means two contents, and one content keeps its TOI, over restarts', async (t) => {
	const path = join(await withDirectory(t), 'headend.sqlite');
	const meaning = new Map<number, string>();
	const toiOf = new Map<string, number>();
	for (let run = 0; run < 5; run += 1) {
		const database = openHeadendDatabase(path);
		const registry = createIdentifierRegistry(database);
		const keys = Array.from({length: 50}, (_, index) => `content ${index + run * 20}`);
		for (const [index, toi] of registry.toisOf(1, keys).entries()) {
			const key = keys[index] ?? '';
			t.is(meaning.get(toi) ?? key, key);
			t.is(toiOf.get(key) ?? toi, toi);
			meaning.set(toi, key);
			toiOf.set(key, toi);
		}
		const live = registry.freshToi(1);
		t.false(meaning.has(live));
		meaning.set(live, `live of run ${run}`);
		// Closed without any farewell, as a crash would.
		database.close();
	}
	t.false(meaning.has(0), 'TOI 0 is the FDT');
});

test('FDT instance ids do not repeat over a restart, and wrap at 20 bits', async (t) => {
	const path = join(await withDirectory(t), 'headend.sqlite');
	const seen = new Set<number>();
	for (let run = 0; run < 3; run += 1) {
		const database = openHeadendDatabase(path);
		const registry = createIdentifierRegistry(database);
		for (let index = 0; index < 10; index += 1) {
			const id = registry.nextInstanceId(1);
			t.false(seen.has(id));
			seen.add(id);
		}
		database.close();
	}
	const database = openHeadendDatabase(path);
	database.prepare("UPDATE counter SET value = 1048574 WHERE name = 'fdt:1'").run();
	const registry = createIdentifierRegistry(database);
	t.deepEqual(
		[registry.nextInstanceId(1), registry.nextInstanceId(1), registry.nextInstanceId(1)],
		[1_048_574, 1_048_575, 0],
	);
	database.close();
});

test('TOIs wrap past those that are in use', async (t) => {
	const database = openHeadendDatabase(join(await withDirectory(t), 'headend.sqlite'));
	createIdentifierRegistry(database).toisOf(1, ['first', 'second']);
	database.prepare("UPDATE counter SET value = 4294967294 WHERE name = 'toi:1'").run();
	const registry = createIdentifierRegistry(database);
	t.deepEqual([registry.freshToi(1), registry.freshToi(1)], [4_294_967_295, 3]);
	database.close();
});
