import test from 'ava';
import {sql} from 'kysely';
import type {AuditEntry} from '#ota/fleet/audit/audit-entry.ts';
import {createAuditLog} from '#ota/fleet/audit/audit-log.ts';
import {withFleetApi} from '#test/helper/with-fleet-api.ts';
import {withFleetContext} from '#test/helper/with-fleet-context.ts';
import {databaseEngines} from '#test/helper/with-fleet-database.ts';

const entry = (number: number): AuditEntry => ({
	actorId: 'a1',
	actorName: number % 2 === 0 ? 'ann' : 'bob',
	actorRole: 'operator',
	action: 'reboot',
	method: 'POST',
	path: `/boxes/box-${number}`,
	box: `box-${number}`,
	outcome: 'done',
	status: 202,
	code: null,
	address: '::1',
	detail: JSON.stringify({number}),
});

for (const engine of databaseEngines) {
	test(`rows written at once form one chain, which no statement can change (${engine})`, async (t) => {
		const context = await withFleetContext(t, engine);
		const {database} = context.store;
		const log = createAuditLog({database, clock: context.clock});
		await Promise.all(Array.from({length: 20}, (_, number) => log.write(entry(number))));
		t.like(await log.verify(), {intact: true, records: 20, brokenAtSequence: null});
		await t.throwsAsync(database.updateTable('audit').set({actor_name: 'eve'}).execute(), {message: /only grows/u});
		await t.throwsAsync(database.deleteFrom('audit').where('sequence', '=', 3).execute(), {message: /only grows/u});
		if (engine === 'postgres') {
			await t.throwsAsync(sql`truncate audit`.execute(database), {message: /only grows/u});
		}
		t.is((await log.verify()).records, 20);
	});

	test(`whoever takes the triggers away still shows: a row changed, taken out, or cut off at the end (${engine})`, async (t) => {
		const tamper = [
			[sql`update audit set detail = '{"number":99}' where sequence = 5`, 5],
			[sql`update audit set box = null where sequence = 7`, 7],
			[sql`delete from audit where sequence = 4`, 5],
			[sql`delete from audit where sequence = 10`, 10],
			[sql`delete from audit where sequence = 1`, 2],
		] as const;
		for (const [statement, brokenAtSequence] of tamper) {
			const context = await withFleetContext(t, engine);
			const {database} = context.store;
			const log = createAuditLog({database, clock: context.clock});
			for (let number = 0; number < 10; number++) {
				await log.write(entry(number));
			}
			for (const drop of engine === 'postgres'
				? ['drop trigger audit_no_change on audit']
				: ['drop trigger audit_no_update', 'drop trigger audit_no_delete']) {
				await sql.raw(drop).execute(database);
			}
			await statement.execute(database);
			t.like(await log.verify(), {intact: false, brokenAtSequence});
		}
	});

	test(`the list filters and pages, newest first, and stands still while rows come (${engine})`, async (t) => {
		const context = await withFleetContext(t, engine);
		const log = createAuditLog({database: context.store.database, clock: context.clock});
		for (let number = 0; number < 10; number++) {
			await log.write(entry(number));
			context.advance(1000);
		}
		const first = await log.list({actor: 'ann', limit: 2});
		t.deepEqual(
			first.items.map(({box}) => box),
			['box-8', 'box-6'],
		);
		await log.write(entry(10));
		const second = await log.list({actor: 'ann', limit: 2, cursor: first.nextCursor});
		t.deepEqual(
			second.items.map(({box}) => box),
			['box-4', 'box-2'],
		);
		const fromMs = Date.UTC(2026, 10, 21) + 3000;
		t.is((await log.list({limit: 50, fromMs, toMs: fromMs + 2000})).items.length, 2);
		t.is((await log.list({limit: 50, box: 'box-3'})).items.length, 1);
		t.is((await log.list({limit: 50, outcome: 'failed'})).items.length, 0);
	});
}

test('the export holds every row, and no field that a spreadsheet would run', async (t) => {
	const {audit, call, signInAs} = await withFleetApi(t);
	const cookie = await signInAs('approver');
	await audit.write({...entry(1), actorName: '=cmd|calc', path: 'a,"b"\nc'});
	const csv = await call('GET /audit/export', {cookie});
	t.is(csv.headers.get('content-disposition'), 'attachment; filename="audit.csv"');
	t.true(csv.text.includes(`,'=cmd|calc,operator,reboot,POST,"a,""b""\nc",box-1,done,`));
	const lines = (await call('GET /audit/export?format=ndjson', {cookie})).text.trim().split('\n');
	t.deepEqual(
		lines.map((line) => JSON.parse(line).sequence),
		[1, 2, 3],
	);
	t.is((await call('GET /audit', {cookie: await signInAs('operator')})).status, 403);
});
