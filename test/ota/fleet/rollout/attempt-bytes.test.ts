import test from 'ava';
import type {RolloutBox, RolloutCreate} from '#ota/contract/rollout-api.ts';
import {countBytes} from '#ota/fleet/rollout/attempt-bytes.ts';
import {listRolloutBoxes} from '#ota/fleet/rollout/rollout-repository.ts';
import {databaseEngines} from '#test/helper/with-fleet-database.ts';
import {withRollouts} from '#test/helper/with-rollouts.ts';

const bytes = (carousel: number, local: number, unicast: number) => ({carousel, local, unicast});
const id = 'abcdefghijkl';
const row = {rollout: id, attempt: 2, attempt_bytes: null, carousel_bytes: 0, local_bytes: 0, unicast_bytes: 0};
const word = (orderId: string, told: ReturnType<typeof bytes>) => ({
	status: {phase: 'fetching' as const, orderId, bytes: told, sinceMs: 1},
	running: undefined,
});

for (const databaseEngine of databaseEngines) {
	test(`a box that needed two attempts has cost the bytes of both, on ${databaseEngine}`, async (t) => {
		const {service, run, say, turn, context} = await withRollouts(t, {databaseEngine, boxCount: 1});
		const groups: RolloutCreate['groups'] = [{name: 'all', size: {kind: 'percent', percent: 100}}];
		const rollout = await run({groups, retry: {attemptsMax: 2, initialMs: 60_000, maxMs: 60_000}});
		const box = ['box-000000'];
		const read = async (): Promise<RolloutBox | undefined> => {
			const all = {id: rollout.id, group: undefined, state: undefined, after: undefined, limit: 10};
			return (await listRolloutBoxes(context.store.database, all))[0];
		};
		await say(rollout, box, 'fetching', {bytes: bytes(100, 0, 5)});
		t.like(await read(), {attempt: 1, bytes: bytes(100, 0, 5)});
		await say(rollout, box, 'failed', {bytes: bytes(300, 20, 5)});
		t.like(await read(), {state: 'retrying', bytes: bytes(300, 20, 5)}, 'one attempt’s bytes grow');
		context.advance(60_000);
		await turn();
		t.like(await read(), {attempt: 2, bytes: bytes(300, 20, 5)}, 'an order costs nothing yet');
		await say(rollout, box, 'fetching', {attempt: 2, bytes: bytes(0, 320, 1)});
		await say(rollout, box, 'failed', {bytes: bytes(300, 20, 7)});
		t.like(
			await read(),
			{attempt: 2, phase: 'fetching', bytes: bytes(300, 340, 8)},
			'a late word of the first counts too',
		);
		await say(rollout, box, 'confirmed', {attempt: 2, bytes: bytes(40, 320, 600)});
		t.like(await read(), {state: 'done', attempt: 2, bytes: bytes(340, 340, 607)});
		t.deepEqual((await service.get(rollout.id)).bytes, bytes(340, 340, 607));
	});
}

test('a row from before attempts were told apart keeps the bytes that it has as its last attempt’s', (t) => {
	const kept = {...row, carousel_bytes: 70, unicast_bytes: 3};
	t.like(countBytes(kept, [word(`${id}.2`, bytes(80, 0, 3))]), {carousel_bytes: 80, local_bytes: 0, unicast_bytes: 3});
	t.is(countBytes(kept, [word(`${id}.2`, bytes(60, 0, 3))]), undefined, 'an older word');
});

test('orders of others, orders that were never given and what is known already change nothing', (t) => {
	t.is(countBytes(row, [word('zyxwvutsrqpo.1', bytes(1, 1, 1)), word(`${id}.3`, bytes(1, 1, 1))]), undefined);
	const counted = countBytes(row, [word(`${id}.1`, bytes(1, 2, 3)), word(`${id}.2`, bytes(10, 20, 30))]);
	t.like(counted, {carousel_bytes: 11, local_bytes: 22, unicast_bytes: 33});
	t.is(countBytes({...row, ...counted}, [word(`${id}.1`, bytes(1, 2, 3))]), undefined);
});
