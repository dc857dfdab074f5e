import test from 'ava';
import type {RolloutCreate} from '#ota/contract/rollout-api.ts';
import {listRolloutBoxes} from '#ota/fleet/rollout/rollout-repository.ts';
import {takeRolloutTurn} from '#ota/fleet/rollout/rollout-turn.ts';
import {databaseEngines} from '#test/helper/with-fleet-database.ts';
import {addBoxes, approver, maker, specOf, withRollouts} from '#test/helper/with-rollouts.ts';

const act = {actor: maker, ifMatch: undefined, reason: ''};

for (const databaseEngine of databaseEngines) {
	test(`a rollout goes through its groups and finishes on ${databaseEngine}`, async (t) => {
		const {service, turn, run, say, boxesIn, ordersOf, context} = await withRollouts(t, {databaseEngine});
		const rollout = await run({lateJoiners: {kind: 'ignore'}});
		const canary = await boxesIn(rollout, 'ordered');
		t.is(canary.length, 2);
		t.deepEqual(await ordersOf(), Object.fromEntries(canary.map((box) => [box, `${rollout.id}.1`])));
		for (const phase of ['accepted', 'fetching', 'verified', 'installing', 'rebooting', 'confirming'] as const) {
			context.advance(1000);
			await say(rollout, canary, phase);
			await turn();
			t.is((await boxesIn(rollout, 'ordered')).length, 2, `nobody else while the first are ${phase}`);
		}
		const going = await service.get(rollout.id);
		t.deepEqual(going.groups[0]?.phases, {confirming: 2});
		await say(rollout, canary, 'confirmed');
		await turn();
		const rest = await boxesIn(rollout, 'ordered');
		t.is(rest.length, 8);
		context.advance(1000);
		await say(rollout, rest, 'confirmed');
		await turn();
		const ended = await service.get(rollout.id);
		t.like(ended, {state: 'finished', boxes: 10, counts: {done: 10, failed: 0}});
		t.deepEqual(
			ended.groups.map(({state}) => state),
			['done', 'done'],
		);
	});

	test(`a group that fails pauses the rollout, a person goes on or aborts, on ${databaseEngine}`, async (t) => {
		const {service, turn, run, say, boxesIn, ordersOf, context} = await withRollouts(t, {databaseEngine});
		const rollout = await run({retry: {attemptsMax: 1}});
		const [first = '', second = ''] = await boxesIn(rollout, 'ordered');
		await say(rollout, [first], 'rolled-back', {code: 'OTA_CHECK_PICTURE'});
		await turn();
		const paused = await service.get(rollout.id);
		t.like(paused, {state: 'paused', reason: {code: 'OTA_ROLLOUT_ERROR_THRESHOLD'}});
		await t.throwsAsync(service.resume({...act, id: rollout.id, ifMatch: 1}), {code: 'OTA_API_EDIT_CONFLICT'});
		await service.resume({...act, id: rollout.id, ifMatch: paused.editVersion});
		await say(rollout, [second], 'confirmed');
		await turn();
		t.is((await boxesIn(rollout, 'ordered')).length, 8, 'the failure was accepted');
		const [installing = '', fetching = ''] = await boxesIn(rollout, 'ordered');
		context.advance(1000);
		await say(rollout, [installing], 'installing');
		await say(rollout, [fetching], 'fetching');
		await service.abort({...act, id: rollout.id});
		const orders = await ordersOf();
		t.is(orders[fetching], null, 'taken back');
		t.is(orders[installing], `${rollout.id}.1`, 'who installs is not disturbed');
		t.deepEqual(await boxesIn(rollout, 'ordered'), [installing]);
		t.is((await boxesIn(rollout, 'withdrawn')).length, 7);
		await say(rollout, [installing], 'confirmed');
		t.deepEqual(await boxesIn(rollout, 'ordered'), []);
		t.like((await service.get(rollout.id)).counts, {done: 2, failed: 1});
	});

	test(`two servers that both think to be the one order no box twice on ${databaseEngine}`, async (t) => {
		const {engineContext, context, run, ordersOf, boxesIn} = await withRollouts(t, {databaseEngine, boxCount: 60});
		const groups: RolloutCreate['groups'] = [{name: 'all', size: {kind: 'percent', percent: 100}}];
		const rollout = await run({groups, inFlightMax: 7, startAtMs: engineContext.clock.nowMs() + 1000});
		context.advance(1000);
		await Promise.all(Array.from({length: 12}, () => takeRolloutTurn(engineContext, rollout.id)));
		t.is((await boxesIn(rollout, 'ordered')).length, 7);
		const desired = await engineContext.store.database.selectFrom('desired').select(['box', 'change']).execute();
		t.true(
			desired.every(({change}) => change === 1),
			'each was told once',
		);
		t.is(Object.keys(await ordersOf()).length, 7);
	});

	test(`a turn that dies half way leaves nothing behind on ${databaseEngine}`, async (t) => {
		const {engineContext, context, run, boxesIn, ordersOf, turn, service} = await withRollouts(t, {databaseEngine});
		const rollout = await run({startAtMs: engineContext.clock.nowMs() + 1000});
		context.advance(1000);
		let calls = 0;
		const dying = {
			...engineContext,
			desk: {
				...engineContext.desk,
				setUpdate: async (...given: Parameters<typeof engineContext.desk.setUpdate>) => {
					await engineContext.desk.setUpdate(...given);
					calls += 1;
					throw new Error('The power is gone.');
				},
			},
		};
		await t.throwsAsync(async () => {
			for (let turns = 0; turns < 5; turns += 1) {
				await takeRolloutTurn(dying, rollout.id);
			}
		});
		t.is(calls, 1);
		t.deepEqual(await boxesIn(rollout, 'ordered'), []);
		t.deepEqual(await ordersOf(), {});
		await turn();
		t.is((await boxesIn(rollout, 'ordered')).length, 2);
		t.is((await service.get(rollout.id)).groups[0]?.state, 'running');
	});

	test(`boxes that say nothing, or nothing more, are given up on ${databaseEngine}`, async (t) => {
		const {turn, run, say, boxesIn, context, service} = await withRollouts(t, {databaseEngine});
		const rollout = await run();
		const [silent = '', dark = ''] = await boxesIn(rollout, 'ordered');
		await say(rollout, [dark], 'rebooting');
		context.advance(900_000 + 600_000);
		await turn();
		t.deepEqual(await boxesIn(rollout, 'failed'), [dark]);
		t.is((await service.get(rollout.id)).state, 'paused');
		context.advance(86_400_000);
		await turn();
		const failed = await boxesIn(rollout, 'failed');
		t.deepEqual(failed, [dark, silent].sort(), 'also while it is paused');
		await say(rollout, [dark], 'confirmed');
		t.deepEqual(await boxesIn(rollout, 'done'), [dark], 'it was given up in error');
	});

	test(`boxes that come later join, and those that the filter lost are left alone, on ${databaseEngine}`, async (t) => {
		const {turn, run, boxesIn, context, service} = await withRollouts(t, {databaseEngine, boxCount: 4});
		const untilMs = context.clock.nowMs() + 86_400_000;
		const groups: RolloutCreate['groups'] = [{name: 'all', size: {kind: 'percent', percent: 100}}];
		const rollout = await run({
			groups,
			inFlightMax: 4,
			lateJoiners: {kind: 'join', untilMs},
			filter: 'release < 2.0.0',
		});
		await addBoxes(context, 3, {first: 10});
		await addBoxes(context, 1, {first: 20, release: '2.0.0'});
		await addBoxes(context, 1, {first: 30, release: '3.0.0'});
		context.advance(30_000);
		await turn();
		t.deepEqual(await boxesIn(rollout, 'waiting'), ['box-000010', 'box-000011', 'box-000012']);
		await context.store.database
			.updateTable('box')
			.set({kind: 'stb', revoked_ms: 1})
			.where('id', '=', 'box-000010')
			.execute();
		await context.store.database.updateTable('box').set({release: '2.0.0'}).where('id', '=', 'box-000011').execute();
		const ordered = await boxesIn(rollout, 'ordered');
		await context.store.database.updateTable('rollout_box').set({state: 'done'}).where('box', 'in', ordered).execute();
		await turn();
		t.deepEqual(await boxesIn(rollout, 'skipped'), ['box-000010']);
		const {database} = context.store;
		const among = {id: rollout.id, group: undefined, state: 'done', after: 'box-000010', limit: 1} as const;
		const [late] = await listRolloutBoxes(database, among);
		t.like(late, {box: 'box-000011', phase: 'confirmed', attempt: 0}, 'it runs the release already');
		t.deepEqual(await boxesIn(rollout, 'ordered'), ['box-000012']);
		t.is((await service.get(rollout.id)).state, 'running', 'it stays open for those to come');
	});

	test(`a box that has just joined is ordered nothing before it has said what it runs, for two minutes, on ${databaseEngine}`, async (t) => {
		const {turn, run, boxesIn, context} = await withRollouts(t, {databaseEngine, boxCount: 0});
		await addBoxes(context, 2, {release: ''});
		const rollout = await run();
		t.deepEqual(await boxesIn(rollout, 'waiting'), ['box-000000', 'box-000001']);
		await context.store.database.updateTable('box').set({release: '2.0.0'}).where('id', '=', 'box-000000').execute();
		await turn();
		t.deepEqual(await boxesIn(rollout, 'done'), ['box-000000']);
		t.deepEqual(await boxesIn(rollout, 'waiting'), ['box-000001']);
		context.advance(120_000);
		await turn();
		t.deepEqual(await boxesIn(rollout, 'ordered'), ['box-000001'], 'its deadlines are an order’s');
	});
}

test('nobody approves what they made; what was not approved does not start', async (t) => {
	const {service} = await withRollouts(t);
	const {id} = await service.create(specOf(), maker);
	const admin = {...maker, role: 'admin' as const};
	const own = service.approve({...act, id, actor: admin, decision: 'approved'});
	await t.throwsAsync(own, {code: 'OTA_ROLLOUT_SELF_APPROVAL'});
	await t.throwsAsync(service.start({...act, id}), {code: 'OTA_ROLLOUT_STATE'});
	await service.approve({...act, id, actor: approver, decision: 'rejected'});
	t.is((await service.get(id)).state, 'rejected');
	await t.throwsAsync(service.start({...act, id}), {code: 'OTA_ROLLOUT_STATE'});
});

test('a release that is withdrawn reaches nobody else', async (t) => {
	const {service, run, context, turn, say, boxesIn} = await withRollouts(t);
	const rollout = await run();
	const first = await boxesIn(rollout, 'ordered');
	await context.store.database.updateTable('release').set({state: 'withdrawn'}).execute();
	await say(rollout, first, 'confirmed');
	await turn();
	t.like(await service.get(rollout.id), {state: 'paused', reason: {code: 'OTA_ROLLOUT_RELEASE_WITHDRAWN'}});
	await t.throwsAsync(service.create(specOf(), maker), {code: 'OTA_ROLLOUT_RELEASE_UNPUBLISHED'});
});

test('a box is in the hands of one rollout at a time', async (t) => {
	const {run, boxesIn, say, turn} = await withRollouts(t, {boxCount: 3});
	const groups: RolloutCreate['groups'] = [{name: 'all', size: {kind: 'percent', percent: 100}}];
	const [one, two] = [await run({groups}), await run({groups})];
	t.is((await boxesIn(one, 'ordered')).length, 3);
	t.is((await boxesIn(two, 'ordered')).length, 0);
	await say(one, ['box-000001'], 'refused');
	await turn();
	t.deepEqual(await boxesIn(two, 'ordered'), ['box-000001']);
});

test('a box that fails is ordered again after a pause, and what failed is ordered again when a person wants it', async (t) => {
	const {run, boxesIn, say, turn, context, service, ordersOf} = await withRollouts(t, {boxCount: 1});
	const groups: RolloutCreate['groups'] = [{name: 'all', size: {kind: 'percent', percent: 100}}];
	const rollout = await run({groups, retry: {attemptsMax: 2, initialMs: 60_000, maxMs: 60_000}});
	await say(rollout, ['box-000000'], 'failed');
	await turn();
	t.deepEqual(await boxesIn(rollout, 'retrying'), ['box-000000']);
	context.advance(60_000);
	await turn();
	t.deepEqual(await ordersOf(), {'box-000000': `${rollout.id}.2`});
	await say(rollout, ['box-000000'], 'failed', {attempt: 2});
	await turn();
	t.is((await service.get(rollout.id)).state, 'paused');
	await service.retryFailed({...act, id: rollout.id});
	await service.resume({...act, id: rollout.id});
	await turn();
	t.deepEqual(await ordersOf(), {'box-000000': `${rollout.id}.3`});
});

test('a filter that cannot be read, a kind without bundle and no way of fetching are refused', async (t) => {
	const {service} = await withRollouts(t);
	await t.throwsAsync(service.create(specOf({filter: 'release <'}), maker), {code: 'OTA_ROLLOUT_FILTER_INVALID'});
	await t.throwsAsync(service.create(specOf({kind: 'headend'}), maker), {code: 'OTA_ROLLOUT_BUNDLE_MISSING'});
	const nothing = {sources: {carouselWaitMs: null, blocks: false, https: false}};
	await t.throwsAsync(service.create(specOf(nothing), maker), {code: 'OTA_ROLLOUT_SOURCE_MISSING'});
	const empty = specOf({groups: [{name: 'x', size: {kind: 'share', from: 0.5, to: 0.5}}]});
	await t.throwsAsync(service.create(empty, maker), {code: 'OTA_ROLLOUT_SHARE_INVALID'});
});

test('a large fleet is previewed and made into a rollout', async (t) => {
	const {service, run, context, boxesIn} = await withRollouts(t, {boxCount: 0});
	await addBoxes(context, 20_000);
	const begunMs = performance.now();
	const preview = await service.preview(specOf());
	const previewMs = performance.now() - begunMs;
	t.is(preview.boxes, 20_000);
	const rollout = await run();
	const runMs = performance.now() - begunMs - previewMs;
	t.log(`preview ${Math.round(previewMs)} ms; made, approved, started and first orders ${Math.round(runMs)} ms`);
	t.is((await boxesIn(rollout, 'ordered')).length, 2);
	t.is((await service.get(rollout.id)).boxes, 20_000);
});
