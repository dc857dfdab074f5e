import {text} from 'node:stream/consumers';
import test, {type ExecutionContext} from 'ava';
import type {CommandView} from '#ota/contract/command-api.ts';
import {type BulkLine, bulkBoxesMax, bulkLineSchema, bulkRequestSchema} from '#ota/contract/command-bulk-api.ts';
import type {EndpointRequest} from '#ota/fleet/api/endpoint.ts';
import {createAuditLog} from '#ota/fleet/audit/audit-log.ts';
import {bulkEndpoint} from '#ota/fleet/command/bulk-endpoint.ts';
import type {CommandDesk} from '#ota/fleet/command/command-desk.ts';
import type {DatabaseEngine} from '#ota/fleet/store/open-fleet-database.ts';
import {enrolBoxes} from '#test/helper/sample-box.ts';
import {withFleetContext} from '#test/helper/with-fleet-context.ts';
import {databaseEngines} from '#test/helper/with-fleet-database.ts';

const prepare = async (t: ExecutionContext, engine: DatabaseEngine = 'sqlite', boxes = ['box-1', 'box-2', 'box-3']) => {
	const context = await withFleetContext(t, engine);
	const {database} = context.store;
	await enrolBoxes(database, boxes);
	await database.updateTable('box').set({revoked_ms: 1}).where('id', '=', 'box-3').execute();
	const given: string[] = [];
	const stop = new AbortController();
	const desk: CommandDesk = {
		give: ({box}) => {
			given.push(box);
			return Promise.resolve({id: `command-${box}`} as CommandView);
		},
	};
	const audit = createAuditLog({database, clock: context.clock});
	const endpoint = bulkEndpoint({...context, desk, writeAudit: audit.write});
	const ask = async (body: unknown, role: 'operator' | 'admin' = 'operator') =>
		(
			await endpoint.handle({
				...{parameters: undefined, query: undefined, ifMatch: undefined, remoteAddress: '127.0.0.1'},
				body: bulkRequestSchema.parse(body),
				actor: {id: 'a1', name: 'ann', role},
				signal: stop.signal,
			} satisfies EndpointRequest<unknown, unknown, unknown>)
		).stream;
	const act = async (body: unknown): Promise<readonly BulkLine[]> => {
		const stream = await ask(body);
		const lines = stream === undefined ? '' : await text(stream);
		return lines
			.trim()
			.split('\n')
			.map((line) => bulkLineSchema.parse(JSON.parse(line)));
	};
	const audited = async () =>
		(await database.selectFrom('audit').selectAll().orderBy('sequence').execute()).map(
			({box, action, outcome}) => `${box} ${action} ${outcome}`,
		);
	const tagsOf = async (id: string): Promise<unknown> => {
		const row = await database.selectFrom('box').select('tags').where('id', '=', id).executeTakeFirstOrThrow();
		return JSON.parse(row.tags);
	};
	return {database, given, ask, act, audited, tagsOf, stop};
};

const ping = {kind: 'command', name: 'ping', arguments: {count: 1}};

for (const engine of databaseEngines) {
	test(`${engine}: a command goes to each box that is named, and each has its rows in the audit log`, async (t) => {
		const {act, given, audited} = await prepare(t, engine);
		const lines = await act({target: {kind: 'ids', ids: ['box-1', 'box-3', 'box-1', 'box-2']}, action: ping});
		t.deepEqual(given, ['box-1', 'box-2']);
		t.like(lines[0], {kind: 'begin', boxes: 3});
		t.like(lines[1], {kind: 'done', box: 'box-1', command: 'command-box-1'});
		t.like(lines[2], {kind: 'refused', box: 'box-3', code: 'OTA_API_NOT_FOUND'});
		t.like(lines.at(-1), {kind: 'end', doneCount: 2, refusedCount: 1});
		t.deepEqual(await audited(), [
			...['box-1 giveCommand begun', 'box-1 giveCommand done'],
			...['box-3 giveCommand begun', 'box-3 giveCommand refused'],
			...['box-2 giveCommand begun', 'box-2 giveCommand done'],
		]);
	});

	test(`${engine}: tags are added and taken away where a filter finds boxes, and the others stay`, async (t) => {
		const {act, tagsOf, database} = await prepare(t, engine);
		await database.updateTable('box').set({tags: '["old","kept"]'}).where('id', '=', 'box-1').execute();
		const before = await database.selectFrom('box').select('edit_version').where('id', '=', 'box-1').executeTakeFirst();
		const action = {kind: 'change-tags', add: ['new'], remove: ['old']};
		const lines = await act({target: {kind: 'filter', filter: 'id=box-1 or id=box-3'}, action});
		t.like(lines.at(-1), {kind: 'end', doneCount: 1, refusedCount: 0});
		t.deepEqual(await tagsOf('box-1'), ['kept', 'new']);
		t.deepEqual(await tagsOf('box-2'), []);
		const after = await database.selectFrom('box').select('edit_version').where('id', '=', 'box-1').executeTakeFirst();
		t.is(after?.edit_version, (before?.edit_version ?? 0) + 1);
	});
}

test('what nobody may or can is refused before the first box', async (t) => {
	const {ask, given, audited} = await prepare(t);
	const target = {kind: 'ids', ids: ['box-1']};
	await t.throwsAsync(ask({target, action: {...ping, arguments: {count: 'many'}}}), {code: 'OTA_COMMAND_ARGUMENTS'});
	await t.throwsAsync(ask({target: {kind: 'filter', filter: 'kindd=1'}, action: ping}), {
		code: 'APPLIANCE_FILTER_UNKNOWN_FIELD',
	});
	t.deepEqual(given, []);
	t.deepEqual(await audited(), []);
});

test('a filter that finds too many boxes is refused, and so is a list of too many', async (t) => {
	const ids = Array.from({length: bulkBoxesMax + 1}, (_, index) => `box-${index + 10_000}`);
	const {ask, given} = await prepare(t, 'sqlite', ids);
	await t.throwsAsync(ask({target: {kind: 'filter', filter: ''}, action: ping}), {code: 'OTA_BULK_TOO_MANY'});
	t.false(bulkRequestSchema.safeParse({target: {kind: 'ids', ids}, action: ping}).success);
	t.deepEqual(given, []);
});

test('who leaves half-way stops what is left', async (t) => {
	const {ask, given, stop} = await prepare(t);
	const stream = await ask({target: {kind: 'ids', ids: ['box-1', 'box-2']}, action: ping});
	stop.abort();
	const lines = stream === undefined ? '' : await text(stream);
	t.deepEqual(given, []);
	t.false(lines.includes('"end"'));
});
