import test from 'ava';
import {sleep} from '#appliance/time/sleep.ts';
import {openFleetDatabase} from '#ota/fleet/store/open-fleet-database.ts';
import {eventually} from '#test/helper/eventually.ts';
import {stopPostgres} from '#test/helper/stop-postgres.ts';
import {withFleet, withFleetBox} from '#test/helper/with-fleet.ts';

const notesBefore = 20;
const notesMeanwhile = 30;
/** Longer than a lease lasts, so that every work of the server has asked in vain. */
const outageMs = 12_000;
const deadlineMs = 60_000;

test('a PostgreSQL that goes away and comes back ends no server and loses no event', async (t) => {
	t.timeout(3 * deadlineMs);
	const fleet = await withFleet(t, {engine: 'postgres'});
	const box = await withFleetBox(t, fleet, 'box-1');
	let told = 0;
	const tell = (count: number): void => {
		for (let index = 0; index < count; index += 1) {
			told += 1;
			box.tellEvent({kind: 'note', data: {told}});
		}
	};
	const written = async (): Promise<readonly number[]> => {
		await using store = await openFleetDatabase({url: fleet.databaseUrl});
		const rows = await store.database
			.selectFrom('box_event')
			.select('data')
			.where('kind', '=', 'note')
			.orderBy('sequence')
			.execute();
		return rows.map(({data}) => JSON.parse(data).told);
	};
	tell(notesBefore);
	await eventually('the first are written', async () => (await written()).length > 0, {timeoutMs: deadlineMs});

	const start = await stopPostgres(fleet.databaseUrl);
	tell(notesMeanwhile / 2);
	await sleep(outageMs / 2);
	t.true((await fleet.call('GET /boxes')).status >= 500);
	tell(notesMeanwhile / 2);
	await sleep(outageMs / 2);
	await start();

	const all = Array.from({length: notesBefore + notesMeanwhile}, (_, index) => index + 1);
	await eventually('every event is written', async () => (await written()).length >= all.length, {
		timeoutMs: deadlineMs,
	});
	t.deepEqual(await written(), all);
	const answer = await fleet.call('GET /boxes');
	t.is(answer.status, 200);
	t.is(answer.body.items.length, 1);
});
