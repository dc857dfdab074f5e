import test from 'ava';
import {openFleetDatabase} from '#ota/fleet/store/open-fleet-database.ts';
import {databaseEngines, withFleetDatabase} from '#test/helper/with-fleet-database.ts';

for (const engine of databaseEngines) {
	test(`${engine}: a database is migrated once, and opens again`, async (t) => {
		const {database, url} = await withFleetDatabase(t, engine);
		await database
			.insertInto('counter')
			.values({name: 'order', value: 2 ** 40})
			.execute();
		const [again, alsoAgain] = await Promise.all([openFleetDatabase({url}), openFleetDatabase({url})]);
		await using _first = again;
		await using _second = alsoAgain;
		t.deepEqual(await again.database.selectFrom('counter').selectAll().execute(), [{name: 'order', value: 2 ** 40}]);
		t.is(again.engine, engine);
	});
}

test('a database that cannot be opened is a coded error that names no password', async (t) => {
	const error = await t.throwsAsync(openFleetDatabase({url: 'postgres://fleet:secret@127.0.0.1:1/fleet'}), {
		code: 'OTA_DATABASE_UNUSABLE',
	});
	t.notRegex(error?.message ?? '', /secret/u);
});
